/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/tunnel_report.h"
#include "lib/json.h"

static sd_json_variant *make_report(size_t peers)
{
	autojson sd_json_variant *list = nullptr;
	sd_json_variant *v = nullptr;

	assert_return_code(sd_json_variant_new_array(&list, nullptr, 0), 0);
	for (size_t i = 0; i < peers; i++)
		assert_return_code(sd_json_variant_append_arraybo(&list,
					   SD_JSON_BUILD_PAIR_STRING("address", "198.51.100.1:443"),
					   SD_JSON_BUILD_PAIR_BOOLEAN("open", true),
					   SD_JSON_BUILD_PAIR_BOOLEAN("active", true)),
			0);
	assert_return_code(sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("peers", list),
				   SD_JSON_BUILD_PAIR_OBJECT("connector",
					   SD_JSON_BUILD_PAIR_STRING("state", "open"))),
		0);
	return v;
}

/* An edge may have more connections than are shown: the rest of what it says counts. */
static void test_many_peers(void **)
{
	static const struct {
		size_t told, taken, more;
	} cases[] = {
		{0, 0, 0},
		{1, 1, 0},
		{TUNNEL_PEERS_MAX, TUNNEL_PEERS_MAX, 0},
		{TUNNEL_PEERS_MAX + 7, TUNNEL_PEERS_MAX, 7},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autojson sd_json_variant *v = make_report(cases[i].told);
		struct tunnel_report report;
		assert_return_code(tunnel_report_read(v, &report), 0);
		assert_int_equal(report.n_peers, cases[i].taken);
		assert_int_equal(report.peers_more, cases[i].more);
		assert_string_equal(report.dial.state, "open");
		tunnel_report_clear(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_peers),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
