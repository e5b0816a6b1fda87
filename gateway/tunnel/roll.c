/* SPDX-License-Identifier: Apache-2.0 */
#include "roll.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Another number for another layout. */
constexpr uint64_t LAYOUT = UINT64_C(0x6d65'7368'726f'6c01);

struct line {
	_Atomic uint32_t used; /* set last, and unset first: a process may die at any time */
	struct quic_trace trace;
};

struct page {
	uint64_t layout;
	struct line lines[];
};

struct roll {
	struct page *page;
	size_t size;
	unsigned n;
	unsigned free; /* no line before this one is */
	bool *ours;    /* lines that this process wrote */
};

static void begin_anew(struct roll *r)
{
	memset(r->page, 0, r->size);
	r->page->layout = LAYOUT;
}

static bool is_used(const struct roll *r, unsigned line)
{
	return atomic_load_explicit(&r->page->lines[line].used, memory_order_relaxed) == 1;
}

static bool makes_sense(const struct quic_trace *t)
{
	return quic_address_size(&t->path.local) && quic_address_size(&t->path.remote) &&
	       t->path.local.sa.sa_family == t->path.remote.sa.sa_family;
}

static void strike_nonsense(struct roll *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (!makes_sense(&r->page->lines[i].trace))
			roll_strike(r, i);
}

int roll_open(int take_fd, struct roll **out, struct err *err)
{
	autoclose int fd = take_fd;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "roll: %s", strerror(errno));
	if ((size_t)st.st_size < sizeof(struct page) + sizeof(struct line))
		return err_set(err, EINVAL, "roll: there is no room in it");
	void *page = mmap(nullptr, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return err_set(err, errno, "roll: %s", strerror(errno));
	struct roll *r = xcalloc(1, sizeof(*r));
	*r = (struct roll){.page = page,
		.size = (size_t)st.st_size,
		.n = (unsigned)(((size_t)st.st_size - sizeof(struct page)) / sizeof(struct line))};
	r->ours = xcalloc(r->n, sizeof(*r->ours));
	if (r->page->layout != LAYOUT)
		begin_anew(r);
	strike_nonsense(r);
	*out = r;
	return 0;
}

void roll_close(struct roll *r)
{
	if (!r)
		return;
	munmap(r->page, r->size);
	free(r->ours);
	free(r);
}

unsigned roll_former(const struct roll *r, unsigned line, struct quic_trace *out)
{
	for (; line < r->n; line++) {
		if (!is_used(r, line) || r->ours[line])
			continue;
		*out = r->page->lines[line].trace;
		return line;
	}
	return ROLL_NONE;
}

void roll_change(struct roll *r, unsigned line, const struct quic_trace *trace)
{
	struct line *l;

	if (line == ROLL_NONE)
		return;
	l = &r->page->lines[line];
	atomic_store_explicit(&l->used, 0, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	l->trace = *trace;
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&l->used, 1, memory_order_relaxed);
	r->ours[line] = true;
}

unsigned roll_enter(struct roll *r, const struct quic_trace *trace)
{
	while (r->free < r->n && is_used(r, r->free))
		r->free++;
	if (r->free == r->n)
		return ROLL_NONE;
	roll_change(r, r->free, trace);
	return r->free++;
}

void roll_strike(struct roll *r, unsigned line)
{
	if (line == ROLL_NONE)
		return;
	atomic_store_explicit(&r->page->lines[line].used, 0, memory_order_relaxed);
	r->ours[line] = false;
	if (line < r->free)
		r->free = line;
}
