/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "prove_scene.h"
#include <stdlib.h>
#include <string.h>

struct addr scene_address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct prefix scene_network(const char *text)
{
	struct prefix p;
	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

void scene_configure(struct scene *s)
{
	prove_configure(&s->prove, &s->config);
	if (!s->prove.networks)
		abort();
	s->n = &s->prove.networks[0];
}

void scene_init(struct scene *s, size_t n_witnesses)
{
	static const char *const names[] = {"10.0.2.1", "10.0.2.2", "10.0.2.3", "10.0.2.4"};
	*s = (struct scene){.now = 1000 * SECOND};
	for (size_t i = 0; i < n_witnesses; i++)
		s->witnesses[i] = (struct config_witness){
			.address = scene_address(names[i]), .port = 80};
	s->networks[0] = (struct config_network){.prefix = scene_network("10.0.2.0/24"),
		.return_path = RETURN_PATH_AUTO,
		.witnesses = s->witnesses,
		.n_witnesses = n_witnesses,
		.hosts = s->hosts,
		.learn_witnesses = true};
	s->lan = (struct config_lan){.interface = "eth0", .networks = s->networks, .n_networks = 1};
	s->config = (struct config){.lans = &s->lan, .n_lans = 1};
	s->config.probe = (struct config_probe){.interval_us = 10 * SECOND,
		.after_event_us = SECOND,
		.timeout_us = 200 * MS,
		.lost_rounds = 2,
		.lost_of = 3,
		.proven_rounds = 3,
		.proven_hold_us = 30 * SECOND,
		.max_witnesses = 8};
	scene_configure(s);
}

static enum probe_result result(char c)
{
	static const char letters[] = "-crRsafx";
	const char *at = strchr(letters, c);
	assert_true(c && at);
	return (enum probe_result)(at - letters);
}

void scene_round(struct scene *s, const char *answers)
{
	uint64_t due = prove_due_us(&s->prove);
	assert_true(due != PROVE_NEVER);
	if (due > s->now)
		s->now = due;
	prove_begin(&s->prove, s->n, s->now);
	for (size_t i = 0; answers[0] && answers[1] && i < s->n->witnesses.n; i++) {
		s->n->witnesses.list[i].asking = (struct probe_pair){
			result(answers[0]), result(answers[1])};
		answers += 2;
		answers += *answers == ' ';
	}
	if (s->n->witnesses.n)
		s->now += s->prove.probe.timeout_us;
	s->change = prove_end(&s->prove, s->n, s->now);
}

bool scene_excepted(const struct scene *s, size_t i)
{
	return s->n->witnesses.list[i].excepted;
}

void scene_prove(struct scene *s, const char *answers)
{
	for (unsigned i = 0; i < s->prove.probe.proven_rounds; i++)
		scene_round(s, answers);
	assert_true(s->n->route);
}
