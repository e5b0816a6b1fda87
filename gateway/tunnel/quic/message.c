/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/message.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xmalloc.h"

struct quic_message *quic_message_new(void)
{
	struct quic_message *m = xcalloc(1, sizeof(*m));

	m->request.fields = m->fields;
	m->response.fields = m->fields;
	return m;
}

/* nullptr: no room. */
static const char *keep(struct quic_message *m, const uint8_t *bytes, size_t n)
{
	char *place = m->text + m->used;

	if (n >= sizeof(m->text) - m->used) {
		m->overflow = true;
		return nullptr;
	}
	memcpy(place, bytes, n);
	m->used += n + 1; /* the text was zero */
	return place;
}

/* A Structured Field Boolean that is true, parameters ignored (RFC 9297 s3.4). */
static bool is_true(const char *value)
{
	return strncmp(value, "?1", 2) == 0 && strchr("; \t", value[2]);
}

static bool take_special(struct quic_message *m, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **place;
	} parts[] = {
		{":method", &m->request.method},
		{":protocol", &m->request.protocol},
		{":scheme", &m->request.scheme},
		{":authority", &m->request.authority},
		{":path", &m->request.path},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strcmp(name, parts[i].name) == 0) {
			*parts[i].place = value;
			return true;
		}
	if (strcmp(name, ":status") == 0) {
		m->response.status = (unsigned int)strtoul(value, nullptr, 10);
		return true;
	}
	if (strcmp(name, "capsule-protocol") == 0) {
		m->request.capsules = m->response.capsules = is_true(value);
		return true;
	}
	return false;
}

void quic_message_add(struct quic_message *m, const uint8_t *name, size_t name_length,
	const uint8_t *value, size_t value_length)
{
	const char *n = keep(m, name, name_length);
	const char *v = n ? keep(m, value, value_length) : nullptr;

	if (!v || take_special(m, n, v))
		return;
	if (m->n_fields == QUIC_MESSAGE_FIELDS) {
		m->overflow = true;
		return;
	}
	if (strcmp(n, "content-length") == 0 || strcmp(n, "content-type") == 0)
		m->framed = true;
	m->fields[m->n_fields++] = (struct quic_field){.name = n, .value = v};
	m->request.n_fields = m->response.n_fields = m->n_fields;
}

static void add_text(struct quic_message *m, const char *name, const char *value)
{
	quic_message_add(
		m, (const uint8_t *)name, strlen(name), (const uint8_t *)value, strlen(value));
}

struct quic_message *quic_message_copy(const struct quic_request *request)
{
	struct quic_message *m;

	if (!request->protocol || !request->scheme || !request->authority || !request->path)
		return nullptr;
	m = quic_message_new();
	add_text(m, ":method", "CONNECT");
	add_text(m, ":protocol", request->protocol);
	add_text(m, ":scheme", request->scheme);
	add_text(m, ":authority", request->authority);
	add_text(m, ":path", request->path);
	for (size_t i = 0; i < request->n_fields; i++)
		add_text(m, request->fields[i].name, request->fields[i].value);
	m->request.capsules = request->capsules;
	if (m->overflow) {
		free(m);
		return nullptr;
	}
	return m;
}

unsigned int quic_message_verdict(const struct quic_message *m, const char *protocol)
{
	if (m->overflow)
		return 431;
	if (!m->request.method || strcmp(m->request.method, "CONNECT") != 0)
		return 405;
	if (!m->request.protocol || strcmp(m->request.protocol, protocol) != 0)
		return 501;
	return 0;
}

bool quic_message_malformed(const struct quic_message *m, bool response)
{
	unsigned int status = m->response.status;

	if (response && (status < 200 || status > 299))
		return false;
	return m->framed || (response && status >= 204 && status <= 206);
}
