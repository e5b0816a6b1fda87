/* SPDX-License-Identifier: Apache-2.0 */
#include "route/access.h"
#include "http/head.h"
#include <string.h>

struct addr bridge_peer(const struct sockaddr *sa, uint16_t *port)
{
	struct sockaddr_in v4 = {};
	struct sockaddr_in6 v6 = {};
	struct addr a = {};

	*port = 0;
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		a.family = AF_INET;
		memcpy(a.b, &v4.sin_addr, 4);
		*port = ntohs(v4.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
		a.family = mapped ? AF_INET : AF_INET6;
		memcpy(a.b, v6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
		*port = ntohs(v6.sin6_port);
	}
	return a;
}

static bool source_allowed(const struct bridge_route *route, const struct addr *peer)
{
	for (size_t i = 0; i < route->n_sources; i++)
		if (prefix_contains_addr(&route->sources[i], peer))
			return true;
	return false;
}

bool bridge_source_known(const struct bridge_config *c, const struct addr *peer)
{
	for (size_t i = 0; i < c->n_routes; i++)
		if (source_allowed(&c->routes[i], peer))
			return true;
	return false;
}

/* All of the list is compared, and all bytes of each: the time depends on the list alone. */
static bool token_is_of(const struct bridge_tokens *tokens, const char *given, size_t len)
{
	unsigned char padded[BRIDGE_TOKEN_MAX] = {};
	unsigned found = 0;

	memcpy(padded, given, len < sizeof(padded) ? len : sizeof(padded));
	for (size_t i = 0; i < tokens->n; i++) {
		const struct bridge_token *t = &tokens->list[i];
		unsigned differs = t->len != len;
		for (size_t j = 0; j < sizeof(padded); j++)
			differs |= padded[j] ^ t->text[j];
		found |= differs == 0;
	}
	explicit_bzero(padded, sizeof(padded));
	return found;
}

enum bridge_access bridge_token_check(
	const struct bridge_tokens *tokens, const struct http_head *head)
{
	static const char scheme[] = "Bearer ";
	constexpr size_t scheme_len = sizeof(scheme) - 1;
	const struct http_field *field = nullptr;

	for (size_t i = 0; i < head->n; i++) {
		if (head->names[i] != HTTP_NAME_AUTHORIZATION)
			continue;
		if (field) /* which one counts is a matter of opinion */
			return BRIDGE_TOKEN_WRONG;
		field = &head->fields[i];
	}
	if (!field || tokens->n == 0 || field->value_len <= scheme_len ||
		!http_text_equal(field->value, scheme_len, scheme, scheme_len))
		return BRIDGE_TOKEN_MISSING;
	const char *given = field->value + scheme_len;
	const char *end = field->value + field->value_len;
	while (given < end && *given == ' ')
		given++;
	return token_is_of(tokens, given, (size_t)(end - given)) ? BRIDGE_ALLOWED
								 : BRIDGE_TOKEN_WRONG;
}

enum bridge_access bridge_access_check(
	const struct bridge_route *route, const struct addr *peer, const struct http_head *head)
{
	if (!source_allowed(route, peer))
		return BRIDGE_WRONG_SOURCE;
	return route->tokens.n ? bridge_token_check(&route->tokens, head) : BRIDGE_ALLOWED;
}
