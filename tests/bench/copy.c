/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy: carries packets between a TUN device and a UDP socket with all of the kernel's offloads,
 * and does nothing else; with --aes it encrypts each packet. No tunnel in user space can be faster:
 * it is the limit that the bench measures against.
 *
 *   copy --tun NAME --local ADDRESS:PORT --remote ADDRESS:PORT [--aes]
 *
 * A datagram is a counter of eight bytes, the packet, and with --aes a tag of sixteen.
 */
#include "data/segment.h"
#include "data/tun.h"
#include "data/udp.h"
#include "lib/own.h"
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

constexpr unsigned READS = 8;
constexpr size_t COUNTER = 8;
constexpr size_t TAG = 16;
constexpr size_t NONCE = 12;
constexpr unsigned RUNS = 64;

struct copy {
	struct tun *tun;
	struct udp *udp;
	union udp_address remote;
	bool aes;
	EVP_CIPHER_CTX *seal, *open;
	uint64_t counter;
	struct udp_run runs[RUNS];
	unsigned n_runs;
	size_t used;
	uint8_t tun_buffer[TUN_BUFFER];
	uint8_t out[RUNS * UDP_RUN_MAX];
};

static void nonce_of(const uint8_t *counter, uint8_t nonce[NONCE])
{
	memset(nonce, 0, NONCE);
	memcpy(nonce + NONCE - COUNTER, counter, COUNTER);
}

static void encrypt_piece(EVP_CIPHER_CTX *c, uint8_t *out, const uint8_t *in, size_t n)
{
	int done;

	if (n && EVP_EncryptUpdate(c, out, &done, in, (int)n) != 1)
		errx(1, "encryption");
}

/* A datagram at out; its length. */
static size_t seal(struct copy *c, uint8_t *out, const struct segment_piece *p)
{
	uint8_t nonce[NONCE], *body = out + COUNTER;
	size_t n = p->head_n + p->payload_n;
	int done;

	c->counter++;
	memcpy(out, &c->counter, COUNTER);
	if (!c->aes) {
		memcpy(body, p->head, p->head_n);
		if (p->payload_n)
			memcpy(body + p->head_n, p->payload, p->payload_n);
		return COUNTER + n;
	}
	nonce_of(out, nonce);
	if (EVP_EncryptInit_ex2(c->seal, nullptr, nullptr, nonce, nullptr) != 1)
		errx(1, "encryption");
	encrypt_piece(c->seal, body, p->head, p->head_n);
	encrypt_piece(c->seal, body + p->head_n, p->payload, p->payload_n);
	if (EVP_EncryptFinal_ex(c->seal, body + n, &done) != 1 ||
		EVP_CIPHER_CTX_ctrl(c->seal, EVP_CTRL_GCM_GET_TAG, TAG, body + n) != 1)
		errx(1, "encryption");
	return COUNTER + n + TAG;
}

/* The packet in a datagram, in place; its length, 0 = it is none. */
static size_t unseal(struct copy *c, uint8_t *datagram, size_t n)
{
	uint8_t nonce[NONCE], *body = datagram + COUNTER;
	int done;

	if (n <= COUNTER + (c->aes ? TAG : 0))
		return 0;
	n -= COUNTER;
	if (!c->aes)
		return n;
	n -= TAG;
	nonce_of(datagram, nonce);
	if (EVP_DecryptInit_ex2(c->open, nullptr, nullptr, nonce, nullptr) != 1 ||
		EVP_CIPHER_CTX_ctrl(c->open, EVP_CTRL_GCM_SET_TAG, TAG, body + n) != 1 ||
		EVP_DecryptUpdate(c->open, body, &done, body, (int)n) != 1 ||
		EVP_DecryptFinal_ex(c->open, body + n, &done) != 1)
		return 0;
	return n;
}

/* Waits: what is behind it may wait in the TUN. */
static void flush(struct copy *c)
{
	unsigned done = 0;

	while (done < c->n_runs) {
		struct pollfd p = {.fd = udp_fd(c->udp), .events = POLLOUT};
		done += udp_send(c->udp, c->runs + done, c->n_runs - done);
		if (done < c->n_runs)
			poll(&p, 1, -1);
	}
	c->n_runs = 0;
	c->used = 0;
}

static bool fits(const struct udp_run *r, size_t n)
{
	return r->n % r->segment == 0 && n <= r->segment && r->n + n <= UDP_RUN_MAX &&
	       r->n / r->segment < UDP_SEGMENTS_MAX;
}

static void send_piece(struct copy *c, const struct segment_piece *p)
{
	uint8_t *at = c->out + c->used;
	size_t n = seal(c, at, p);
	struct udp_run *last = c->n_runs ? &c->runs[c->n_runs - 1] : nullptr;

	c->used += n;
	if (last && fits(last, n))
		last->n += n;
	else
		c->runs[c->n_runs++] = (struct udp_run){
			.remote = c->remote, .data = at, .n = n, .segment = n};
	if (c->n_runs == RUNS || c->used > sizeof(c->out) - UDP_RUN_MAX)
		flush(c);
}

static void from_tun(struct copy *c)
{
	uint8_t head[SEGMENT_HEAD_MAX];
	struct virtio_net_hdr vnet;
	struct segment_piece piece;
	struct segment s;

	for (unsigned i = 0; i < READS; i++) {
		int n = tun_read(c->tun, &vnet, c->tun_buffer);
		if (n < 0)
			break;
		if (segment_begin(&s, &vnet, c->tun_buffer + TUN_HEADROOM, (size_t)n) < 0)
			continue;
		while (segment_next(&s, head, &piece))
			send_piece(c, &piece);
	}
	flush(c);
}

static void from_udp(struct copy *c)
{
	const struct udp_run *runs;
	unsigned n = udp_receive(c->udp, &runs);

	for (unsigned i = 0; i < n; i++)
		for (size_t at = 0; at < runs[i].n; at += runs[i].segment) {
			size_t left = runs[i].n - at;
			size_t size = left < runs[i].segment ? left : runs[i].segment;
			size_t length = unseal(c, runs[i].data + at, size);
			if (length)
				tun_write(c->tun, runs[i].data + at + COUNTER, length);
		}
	tun_flush(c->tun);
}

static int open_tun(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		err(1, "%s", name);
	return fd;
}

static union udp_address address(char *text)
{
	union udp_address a = {.v4.sin_family = AF_INET};
	char *colon = strrchr(text, ':');

	if (!colon)
		errx(2, "%s: no port", text);
	*colon = '\0';
	a.v4.sin_port = htons((uint16_t)strtoul(colon + 1, nullptr, 10));
	if (inet_pton(AF_INET, text, &a.v4.sin_addr) != 1)
		errx(2, "%s: no address", text);
	return a;
}

static int open_udp(const union udp_address *a)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &a->any, sizeof(a->v4)) < 0)
		err(1, "UDP");
	return fd;
}

/* One key for all: nobody else ever sees these packets. */
static EVP_CIPHER_CTX *make_cipher(bool encrypts)
{
	static const uint8_t key[16] = {7};
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (!c || EVP_CipherInit_ex2(c, EVP_aes_128_gcm(), key, nullptr, encrypts, nullptr) != 1)
		errx(1, "AES-128-GCM");
	return c;
}

static void read_options(int argc, char **argv, struct copy *c)
{
	static const struct option names[] = {{"tun", required_argument, nullptr, 't'},
		{"local", required_argument, nullptr, 'l'},
		{"remote", required_argument, nullptr, 'r'}, {"aes", no_argument, nullptr, 'a'},
		{}};
	const char *tun = nullptr;
	char *local = nullptr, *remote = nullptr;
	struct err e = {};
	int o;

	while ((o = getopt_long(argc, argv, "", names, nullptr)) != -1) {
		c->aes = c->aes || o == 'a';
		tun = o == 't' ? optarg : tun;
		local = o == 'l' ? optarg : local;
		remote = o == 'r' ? optarg : remote;
	}
	if (!tun || !local || !remote)
		errx(2, "usage: copy --tun NAME --local ADDRESS:PORT --remote ADDRESS:PORT [--aes]");
	const union udp_address here = address(local);
	c->remote = address(remote);
	if (tun_new(open_tun(tun), &c->tun, &e) < 0 || udp_new(open_udp(&here), &c->udp, &e) < 0)
		errx(1, "%s", e.msg);
}

int main(int argc, char **argv)
{
	static struct copy c;

	read_options(argc, argv, &c);
	c.seal = make_cipher(true);
	c.open = make_cipher(false);
	struct pollfd fds[] = {
		{.fd = tun_fd(c.tun), .events = POLLIN}, {.fd = udp_fd(c.udp), .events = POLLIN}};
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[0].revents)
			from_tun(&c);
		if (fds[1].revents)
			from_udp(&c);
	}
	err(1, "poll");
}
