/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes from elsewhere (names of interfaces and chains, FRR's words, certificates, answers)
 * is put into every text of every kind of fact and of a verdict. Nothing but printable ASCII may
 * come out, and no command may do more than it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/own.h"
#include "verdict/code_variant.h"
#include "verdict/fact_command.h"
#include "verdict/fact_table.h"
#include "verdict/verdict.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char proof[] = "/tmp/meshgw-injection-XXXXXX"; /* a folder; who runs a payload marks it */

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Whoever runs one makes the file p in that folder. Short, for short fields. */
static const char *const payloads[] = {
	"\x1b[2J\x1b]0;x\x07",
	"a\r\nb\tc",
	"\"},{\"code\":\"healthy\"",
	"caf\xc3\xa9 \xff\xfe",
	"\xe2\x80\xae\xc2\x9b",
	"x;: >p",
	"$(: >p)",
	"`: >p`",
	"';: >p;'",
	"\";: >p;\"",
	"x\n: >p",
	"x|: >p",
	"&& : >p",
	"-rf",
	"--help",
	"x } ; flush",
	"{table}[{v}]",
	"%s%n%1000d",
	(LONG LONG LONG LONG),
};

static void check_printable(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			fail_msg("\\x%02x in \"%s\"", (unsigned char)*p, text);
}

/* Told as it is in life: cut to what fits, everything else plausible. */
static void fill(struct fact *fact, const char *payload)
{
	for (const struct field *f = fact_shapes[fact->kind].fields; f->name; f++) {
		char *at = (char *)fact_base(fact) + f->offset;
		if (f->type == FIELD_TEXT)
			snprintf(at, f->size, "%s", payload);
		if (f->type == FIELD_ADDR)
			assert_int_equal(addr_parse("10.0.1.50", (struct addr *)at), 0);
		if (f->type == FIELD_BOOL)
			*(bool *)at = true;
	}
}

/* Its words are taken apart by a shell and go no further. */
static void run_harmlessly(FILE *script, const char *command)
{
	if (!strstr(command, "&&"))
		fprintf(script, "set -- %s\n", command);
	else /* the second program is not found */
		fprintf(script, "true %s 2>&- || true\n", command);
}

static void run_script(const char *text)
{
	char cwd[4096], path[sizeof(proof) + 8];
	struct stat st;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(proof), 0);
	FILE *sh = popen("sh -e", "we"); /* NOLINT(cert-env33-c): the point of the test */
	assert_non_null(sh);
	assert_true(fputs("PATH=/nonexistent\n", sh) >= 0);
	assert_true(fputs(text, sh) >= 0);
	assert_int_equal(pclose(sh), 0);
	assert_int_equal(chdir(cwd), 0);
	snprintf(path, sizeof(path), "%s/p", proof);
	assert_int_equal(stat(path, &st), -1);
}

static void test_facts(void **)
{
	autofree char *script = nullptr;
	size_t len;
	FILE *commands = open_memstream(&script, &len);
	struct flow flow = {.proto = IPPROTO_TCP, .port = 80, .scheme = SCHEME_HTTP};

	assert_non_null(commands);
	for (enum fact_kind kind = 0; kind < FACT_KINDS; kind++)
		for (size_t i = 0; i < COUNT(payloads); i++) {
			struct fact f;
			char text[FACT_SAYS_LEN];
			fact_init(&f, kind);
			fill(&f, payloads[i]);
			check_printable(fact_says(&f, text));
			assert_true(text[0]);
			check_printable(fact_command(&f, text));
			snprintf(flow.host, sizeof(flow.host), "%s", payloads[i]);
			snprintf(flow.path, sizeof(flow.path), "/%s", payloads[i]);
			check_printable(fact_command_for(&f, &flow, text));
			run_harmlessly(commands, text);
		}
	assert_int_equal(fclose(commands), 0);
	run_script(script);
}

static void fill_verdict(struct verdict *v, const char *payload)
{
	static const char *const names[] = {"by", "table", "chain", "family", "interface", "dev",
		"prefix", "sysctl", "wanted", "metric", "peer", "sender", "range", "rule",
		"network"};

	snprintf(v->summary, sizeof(v->summary), "%s", payload);
	snprintf(v->next_summary, sizeof(v->next_summary), "%s", payload);
	snprintf(v->consequences[0], sizeof(v->consequences[0]), "%s", payload);
	v->n_consequences = 1;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct verdict_attribute *a = &v->attributes[v->n_attributes++];
		snprintf(a->name, sizeof(a->name), "%s", names[i]);
		snprintf(a->value, sizeof(a->value), "%s", payload);
	}
}

static void fill_evidence(struct evidence *e, const char *payload)
{
	struct addr target;

	assert_int_equal(addr_parse("10.0.1.50", &target), 0);
	e->flow = (struct flow){.proto = IPPROTO_TCP, .target = target, .port = 80};
	snprintf(e->id, sizeof(e->id), "%s", payload);
	snprintf(e->mesh, sizeof(e->mesh), "%s", payload);
	snprintf(e->lan, sizeof(e->lan), "%s", payload);
	snprintf(e->flow.host, sizeof(e->flow.host), "%s", payload);
	snprintf(e->flow.from, sizeof(e->flow.from), "%s", payload);
	for (enum fact_kind kind = 0; kind < FACT_KINDS; kind++)
		fill(evidence_add(e, kind), payload);
}

static void check_json(sd_json_variant *v)
{
	if (sd_json_variant_is_string(v))
		check_printable(sd_json_variant_string(v));
	if (!sd_json_variant_is_array(v) && !sd_json_variant_is_object(v))
		return;
	for (size_t i = 0; i < sd_json_variant_elements(v); i++)
		check_json(sd_json_variant_by_index(v, i));
}

/* The texts of the table are the same for all: one code stands for them. */
static void test_json(void **)
{
	for (size_t i = 0; i < COUNT(payloads); i++) {
		autojson sd_json_variant *v = nullptr;
		struct evidence e = {};
		struct verdict verdict = {.code = CODE_ROUTE_BLACKHOLE, .next = CODE_HEALTHY};
		fill_verdict(&verdict, payloads[i]);
		fill_evidence(&e, payloads[i]);
		for (size_t n = 0; n < e.n; n++)
			verdict.evidence[verdict.n_evidence++] = n;
		assert_int_equal(verdict_to_json(&verdict, &e, &v), 0);
		check_json(v);
		assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(v, "code")),
			"route-blackhole");
		assert_int_equal(
			sd_json_variant_elements(sd_json_variant_by_key(v, "evidence")), e.n);
		evidence_clear(&e);
	}
}

static void check_remedy(enum code code, const struct code_variant *variant,
	const struct evidence *e, FILE *commands)
{
	struct verdict verdict = {.code = code, .next = CODES};
	struct verdict_remedy remedy;

	if (variant) { /* the first of a name counts */
		struct verdict_attribute *a = &verdict.attributes[verdict.n_attributes++];
		snprintf(a->name, sizeof(a->name), "%s", variant->name);
		snprintf(a->value, sizeof(a->value), "%s", variant->value);
	}
	fill_verdict(&verdict, e->mesh);
	verdict_remedy(&verdict, e, &remedy);
	check_printable(remedy.text);
	for (size_t i = 0; i < remedy.n_commands; i++) {
		check_printable(remedy.commands[i]);
		run_harmlessly(commands, remedy.commands[i]);
		/* nft parses its arguments again: quotes would not hold. */
		if (strstr(remedy.commands[i], "nft "))
			assert_null(strstr(remedy.commands[i], "flush"));
	}
}

static void test_remedies(void **)
{
	autofree char *script = nullptr;
	size_t len;
	FILE *commands = open_memstream(&script, &len);

	assert_non_null(commands);
	for (size_t i = 0; i < COUNT(payloads); i++) {
		struct evidence e = {};
		fill_evidence(&e, payloads[i]);
		for (enum code code = 0; code < CODES; code++) {
			size_t at = 0;
			check_remedy(code, nullptr, &e, commands);
			for (const struct code_variant *v; (v = code_variant_next(code, &at));)
				check_remedy(code, v, &e, commands);
		}
		evidence_clear(&e);
	}
	assert_int_equal(fclose(commands), 0);
	run_script(script);
}

static int make_proof(void **)
{
	return mkdtemp(proof) ? 0 : -1;
}

static int remove_proof(void **)
{
	return rmdir(proof);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_remedies),
	};
	return cmocka_run_group_tests(tests, make_proof, remove_proof);
}
