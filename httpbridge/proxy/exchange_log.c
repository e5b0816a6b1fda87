/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/exchange_int.h"

/* From one event to another that may not have come. */
static uint64_t between(uint64_t from, uint64_t to)
{
	return from && to ? to - from : ACCESSLOG_NEVER;
}

static void count(struct exchange *x, uint64_t now)
{
	struct stats_route *s = x->stats;
	unsigned hundreds = (unsigned)x->status / 100;

	if (!s)
		return;
	stats_add(&s->requests[hundreds < STATS_STATUSES ? hundreds : 0], 1);
	stats_add(&s->bytes_in, x->in.data);
	stats_add(&s->bytes_out, x->out.data);
	stats_add(&s->aborted, x->aborted);
	stats_time(&s->total, now - x->began_us);
	if (x->answered_us)
		stats_time(&s->first_byte, x->answered_us - x->sent_us);
}

void exchange_log(struct exchange *x)
{
	const struct bridge_route *r = x->route;
	uint64_t now = loop_clock_us();

	const struct accesslog_entry entry = {
		.realtime_us = loop_realtime_us() - (now - x->began_us),
		.request_id = x->trace.id,
		.peer = x->client->peer,
		.peer_port = x->client->port,
		.minor = x->minor,
		.method = x->method_text,
		.host = x->host,
		.path = x->path,
		.route = r ? r->name : nullptr,
		.upstream = x->of ? x->of->name : nullptr,
		.status = (unsigned)x->status,
		.code = *x->code ? x->code : nullptr,
		.fault = x->fault,
		.diagnosis = *x->diagnosis ? x->diagnosis : nullptr,
		.bytes_in = x->in.data,
		.bytes_out = x->out.data,
		.reused = x->reused,
		.aborted = x->aborted,
		.retries = x->sends > 1 ? x->sends - 1 : 0,
		.head_us = between(x->began_us, x->read_us),
		.connect_us = x->reused ? 0 : between(x->sent_us, x->connected_us),
		.first_byte_us = between(x->sent_us, x->answered_us),
		.total_us = now - x->began_us};
	log_writer_add(&x->worker->log, &entry);
	count(x, now);
}
