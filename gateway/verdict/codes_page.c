/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codes_page: writes meshgw-codes(7) from the table of codes, when the project is built.
 */
#include "verdict/code_variant.h"
#include "verdict/template.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum code first;
	const char *heading;
} sections[] = {
	{CODE_TUNNEL_INTERFACE_MISSING, "BEFORE THE GATEWAY"},
	{CODE_FORWARDING_DISABLED, "FORWARDING AND SOURCE VALIDATION"},
	{CODE_NO_ROUTE_TO_DESTINATION, "ROUTING"},
	{CODE_POLICY_RULE_CAPTURES_RETURN, "POLICY ROUTING AND OVERLAPS"},
	{CODE_NOT_ALLOWED, "FILTERS, CONNECTION TRACKING, TRANSLATION"},
	{CODE_LAN_INTERFACE_MISSING, "LINK AND NEIGHBOUR"},
	{CODE_PMTU_BLACKHOLE_LAN, "SIZE, HOPS, CHECKSUMS"},
	{CODE_UPSTREAM_SILENT, "THE LAN BEYOND THE GATEWAY"},
	{CODE_SERVICE_PORT_CLOSED, "THE SERVICE"},
	{CODE_HEALTHY, "ABOUT THE VERDICT ITSELF"},
};

static const char introduction[] =
	".Sh DESCRIPTION\n"
	".Xr meshgw-diagnose 8\n"
	"names one cause for a flow that fails, by a code.\n"
	"A code is never renamed and never changes its meaning; conditions of\n"
	".Xr meshgwd 8\n"
	"that have the same name mean the same.\n"
	"It names a cause and no product: which program is to blame stands in the attributes of\n"
	"the verdict, such as\n"
	".Ql by=docker .\n"
	".Pp\n"
	"The word behind a code says where the cause lies:\n"
	".Bl -tag -width undecided\n"
	".It Cm healthy\n"
	"nowhere: the flow works;\n"
	".It Cm node\n"
	"on this gateway, where its operator can mend it;\n"
	".It Cm lan\n"
	"between the gateway and the service;\n"
	".It Cm service\n"
	"at the service or its host;\n"
	".It Cm tunnel\n"
	"before the gateway: the tunnel, its provider, the caller;\n"
	".It Cm undecided\n"
	"the evidence is not enough.\n"
	".El\n"
	".Pp\n"
	"Commands are for root on the gateway.\n"
	"A word in braces stands for a value of the verdict, and what stands in brackets is left\n"
	"out when there is no such value.\n"
	"A command that lacks a value is not shown.\n"
	"What stands behind\n"
	".Em With\n"
	"replaces the remedy when the verdict has that attribute;\n"
	".Ql configuration=none\n"
	"means that meshgw has no configuration in force,\n"
	".Ql iptables=yes\n"
	"that the chain to blame is one of iptables,\n"
	".Ql link=down\n"
	"that the mesh interface is not up,\n"
	".Ql tunnel=own\n"
	"that meshgw-tunnel carries what comes by it, and\n"
	".Ql stale=others\n"
	"that entries of other callers are to be told apart.\n"
	".Pp\n"
	"Commands accept no more than the flow\\(aqs own protocol and port:\n"
	".Ql {put}\n"
	"and\n"
	".Ql {at}\n"
	"stand for a place in front of the rule to blame, or behind all where it is the chain\\(aqs\n"
	"policy;\n"
	".Ql {l4}\n"
	"for tcp or udp and\n"
	".Ql {echo}\n"
	"for ICMP, of which the flow has one;\n"
	".Ql {entry}\n"
	"for a route that is nobody\\(aqs who would put it back, and that covers nothing but the\n"
	"network or range of the flow; where it covers more, that stands in\n"
	".Ql {uncovered} .\n"
	"A command that ends what others rest on, such as the removal of a queueing discipline, is\n"
	"never among them: the remedy then says whom to ask.\n"
	"Where\n"
	".Ql meshgw fix\n"
	"is named, it can do the same, after it has shown what it would do.\n";

/* Text lines of mdoc(7): one sentence each, and nothing at the beginning that would be a macro. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == ' ' && text[-1] == '.' && text[1] >= 'A' && text[1] <= 'Z')
			fputc('\n', out);
		else if (*text == '\'')
			fputs("\\(aq", out);
		else
			fputc(*text, out);
	}
	fputc('\n', out);
}

static const char *no_value(const void *, const char *, char buf[static FIELD_STRLEN])
{
	(void)buf;
	return nullptr;
}

/* Without the parts that need a value. */
static void put_sentence(FILE *out, const char *text)
{
	const struct template_values none = {no_value, nullptr};
	char plain[1024];

	put_text(out, template_text(text, &none, plain, sizeof(plain)));
}

/* Characters as they are to be typed (mandoc_char(7)). */
static void put_command(FILE *out, const char *command)
{
	static const char *const forms[128] = {['-'] = "\\-", ['\''] = "\\(aq", ['^'] = "\\(ha"};

	for (; *command; command++)
		if (forms[*command & 0x7f])
			fputs(forms[*command & 0x7f], out);
		else
			fputc(*command, out);
	fputc('\n', out);
}

static void put_commands(FILE *out, const char *const commands[CODE_COMMANDS])
{
	if (!commands[0])
		return;
	fputs(".Bd -literal -offset indent -compact\n", out);
	for (size_t i = 0; i < CODE_COMMANDS && commands[i]; i++)
		put_command(out, commands[i]);
	fputs(".Ed\n", out);
}

static void put_code(FILE *out, enum code code)
{
	const struct code_row *row = code_row(code);
	size_t at = 0;

	fprintf(out, ".It Ic %s Pq %s\n", row->name, code_class_str(row->class));
	put_text(out, row->title);
	fputs(".Pp\n.Em Evidence :\n", out);
	put_text(out, row->evidence);
	fputs(".Pp\n.Em Remedy :\n", out);
	put_sentence(out, row->remedy);
	put_commands(out, row->commands);
	if (row->fix)
		fprintf(out, ".Pp\n.Ql meshgw fix %s\n", row->name);
	for (const struct code_variant *v; (v = code_variant_next(code, &at));) {
		fprintf(out, ".Pp\n.Em With\n.Ql %s=%s :\n", v->name, v->value);
		put_sentence(out, v->remedy);
		put_commands(out, v->commands);
	}
}

static void put_heading(FILE *out, enum code code)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (sections[i].first == code)
			fprintf(out, "%s.Sh %s\n.Bl -tag -width Ds\n", i ? ".El\n" : "",
				sections[i].heading);
}

static void put_page(FILE *out)
{
	fputs(".\\\" SPDX-License-Identifier: Apache-2.0\n"
	      ".Dd November 21, 2026\n"
	      ".Dt MESHGW-CODES 7\n"
	      ".Os\n"
	      ".Sh NAME\n"
	      ".Nm meshgw-codes\n"
	      ".Nd causes that meshgw names for a flow that fails\n",
		out);
	fputs(introduction, out);
	for (enum code code = 0; code < CODES; code++) {
		put_heading(out, code);
		put_code(out, code);
	}
	fputs(".El\n"
	      ".Sh SEE ALSO\n"
	      ".Xr meshgw.yaml 5 ,\n"
	      ".Xr meshgw 8 ,\n"
	      ".Xr meshgw-diagnose 8 ,\n"
	      ".Xr meshgwd 8\n",
		out);
}

int main(void)
{
	put_page(stdout);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
