/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/doc.h"
#include "conf/diag.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>

/* Decodes one character (RFC 3629: no surrogates, nothing overlong); its length, 0 if invalid. */
static size_t utf8_decode(const unsigned char *s, size_t len, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c = n > 1 ? s[0] & (0x7fU >> n) : s[0];

	if (n == 0 || n > len || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

/* Besides the real control characters, those that YAML 1.1 takes for a line break and no editor
 * shows as one: our line numbers would be nobody else's. */
static bool is_control(uint32_t c)
{
	if (c == '\t' || c == '\n' || c == '\r')
		return false;
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static void mistake_character(struct diag_list *diags, struct config_mark at, uint32_t c)
{
	if (c == 0)
		diag_add(diags, at, "", "a NUL byte: this is not a text file");
	else
		diag_add(diags, at, "", "the control character U+%04X; remove it", c);
}

/* libyaml would stop at the first of these, and without telling the line. */
static void check_characters(const char *text, size_t len, struct diag_list *diags)
{
	const unsigned char *s = (const unsigned char *)text;
	struct config_mark at = {1, 1};

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;
		n = utf8_decode(s + i, len - i, &c);
		if (n == 0) {
			diag_add(diags, at, "",
				"the byte \\x%02x is not UTF-8; save the file as UTF-8", s[i]);
			return;
		}
		if (is_control(c))
			mistake_character(diags, at, c);
		if (c == 0)
			return;
		bool ends_line = c == '\n' || (c == '\r' && !(i + 1 < len && s[i + 1] == '\n'));
		at = ends_line ? (struct config_mark){at.line + 1, 1}
			       : (struct config_mark){at.line, at.column + 1};
	}
}

static struct config_mark mark_of(yaml_mark_t mark)
{
	return (struct config_mark){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* Is there a tab at this line and column? */
static bool is_tab_at(const char *text, size_t len, yaml_mark_t mark)
{
	const char *end = text + len;

	for (size_t line = 0; line < mark.line; line++) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		if (!eol)
			return false;
		text = eol + 1;
	}
	return mark.column < (size_t)(end - text) && text[mark.column] == '\t';
}

/* What libyaml says, in words for somebody who does not know how YAML is scanned. */
static void mistake_syntax(
	const yaml_parser_t *parser, const char *text, size_t len, struct diag_list *diags)
{
	static const struct {
		const char *problem, *ours;
	} known[] = {
		{"mapping values are not allowed in this context",
			"a colon that does not belong here; check the indentation, the line before, and that IPv6 addresses are in quotes"},
		{"did not find expected key",
			"neither a key nor the end of the mapping; check the indentation"},
		{"did not find expected '-' indicator",
			"no list item and not the end of the list; check the indentation"},
		{"could not find expected ':'", "a key without a colon behind it"},
		{"found character that cannot start any token",
			"no value begins with this character; put it into quotes"},
		{"did not find expected ',' or ']'",
			"a comma or ] is missing in the list that was begun above"},
		{"did not find expected ',' or '}'",
			"a comma or } is missing in the mapping that was begun above"},
		{"found unexpected end of stream", "the file ends inside a quoted string"},
	};
	struct config_mark at = mark_of(parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "unreadable";

	if (parser->error == YAML_MEMORY_ERROR)
		out_of_memory();
	if (is_tab_at(text, len, parser->problem_mark)) {
		diag_add(diags, at, "", "a tab; YAML is indented with spaces only");
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(problem, known[i].problem) == 0)
			problem = known[i].ours;
	diag_add(diags, at, "", "not YAML: %s", problem);
}

struct scan {
	struct diag_list *diags;
	unsigned depth, documents;
	bool stop;
};

static void scan_properties(struct scan *scan, const yaml_event_t *event, const yaml_char_t *anchor,
	const yaml_char_t *tag)
{
	struct config_mark at = mark_of(event->start_mark);

	if (anchor)
		diag_add(scan->diags, at, "",
			"anchors (&name) are not supported; write the value where it is used");
	if (tag)
		diag_add(scan->diags, at, "", "tags (!name) are not supported; remove it");
}

static void scan_open(struct scan *scan, const yaml_event_t *event)
{
	if (++scan->depth <= DOC_MAX_DEPTH)
		return;
	diag_add(scan->diags, mark_of(event->start_mark), "",
		"nested more than %u levels deep; nothing in this file needs that", DOC_MAX_DEPTH);
	scan->stop = true;
}

static void scan_document(struct scan *scan, const yaml_event_t *event)
{
	if (++scan->documents == 1)
		return;
	diag_add(scan->diags, mark_of(event->start_mark), "",
		"a second YAML document begins here; the file must hold only one");
	scan->stop = true;
}

static void scan_event(struct scan *scan, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		scan_document(scan, event);
		break;
	case YAML_ALIAS_EVENT:
		diag_add(scan->diags, mark_of(event->start_mark), "",
			"aliases (*name) are not supported; write the value out");
		break;
	case YAML_SCALAR_EVENT:
		scan_properties(scan, event, event->data.scalar.anchor, event->data.scalar.tag);
		break;
	case YAML_SEQUENCE_START_EVENT:
		scan_properties(scan, event, event->data.sequence_start.anchor,
			event->data.sequence_start.tag);
		scan_open(scan, event);
		break;
	case YAML_MAPPING_START_EVENT:
		scan_properties(scan, event, event->data.mapping_start.anchor,
			event->data.mapping_start.tag);
		scan_open(scan, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		scan->depth--;
		break;
	default:
		scan->stop = event->type == YAML_STREAM_END_EVENT;
	}
}

/* On return the parser reads text from its beginning; yaml_parser_delete() it. */
static void parser_init(yaml_parser_t *parser, const char *text, size_t len)
{
	if (!yaml_parser_initialize(parser))
		out_of_memory();
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, (const unsigned char *)text, len);
}

static void check_events(const char *text, size_t len, struct diag_list *diags)
{
	[[gnu::cleanup(yaml_parser_delete)]] yaml_parser_t parser;
	struct scan scan = {.diags = diags};

	parser_init(&parser, text, len);
	while (!scan.stop) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			mistake_syntax(&parser, text, len, diags);
			return;
		}
		scan_event(&scan, &event);
		yaml_event_delete(&event);
	}
	if (scan.documents == 0)
		diag_add(diags, (struct config_mark){1, 1}, "",
			"the file is empty; it must at least have the key \"lan\"");
}

int doc_load(yaml_document_t *doc, const char *text, size_t len, struct diag_list *diags)
{
	check_characters(text, len, diags);
	if (diags->out.n == 0)
		check_events(text, len, diags);
	if (diags->out.n > 0)
		return -EINVAL;

	[[gnu::cleanup(yaml_parser_delete)]] yaml_parser_t parser;
	parser_init(&parser, text, len);
	if (!yaml_parser_load(&parser, doc)) {
		mistake_syntax(&parser, text, len, diags);
		return -EINVAL;
	}
	return 0;
}
