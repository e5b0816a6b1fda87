/* SPDX-License-Identifier: Apache-2.0 */
#include "route/forward_write.h"

static void put_line(struct forward_writer *w, const struct forward_response *response)
{
	FORWARD_LITERAL(w, "HTTP/1.1 ");
	text_u64(&w->text, response->status);
	FORWARD_LITERAL(w, " ");
	text_add(&w->text, response->reason, response->reason_len);
	FORWARD_LITERAL(w, "\r\n");
}

int forward_response_head(const struct bridge_config *c, const struct bridge_route *route,
	const struct forward_response *response, char *out, size_t size)
{
	struct forward_writer w = {.text = {.at = out, .size = size},
		.config = c,
		.edit = &route->response,
		.head = response->head};
	bool dated = false;

	put_line(&w, response);
	for (size_t i = 0; i < response->head->n; i++) {
		const struct http_field *f = &response->head->fields[i];
		dated |= response->head->names[i] == HTTP_NAME_DATE;
		if (forward_passes(&w, i))
			forward_put(&w, f->name, f->name_len, f->value, f->value_len);
	}
	if (!dated && response->date)
		forward_put_own(&w, "Date", response->date, strlen(response->date));
	forward_put_via(&w);
	forward_put_set(&w);
	forward_put_framing(&w, response->framing, response->length);
	forward_put_connection(&w, response->connection, false);
	return forward_finish(&w);
}
