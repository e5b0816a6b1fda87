/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/reader.h"
#include "conf/arena.h"
#include "conf/diag.h"
#include "conf/suggest.h"
#include "lib/escape.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

struct config_mark reader_mark(const yaml_node_t *node)
{
	return (struct config_mark){
		(uint32_t)node->start_mark.line + 1, (uint32_t)node->start_mark.column + 1};
}

const char *reader_text(const yaml_node_t *node)
{
	assert(node->type == YAML_SCALAR_NODE);
	return (const char *)node->data.scalar.value;
}

struct shown reader_shown(const yaml_node_t *node)
{
	struct shown shown;

	escape_text(reader_text(node), node->data.scalar.length, shown.text, sizeof(shown.text));
	return shown;
}

static const yaml_node_t *node_at(const struct reader *r, yaml_node_item_t index)
{
	const yaml_node_t *node = yaml_document_get_node(r->doc, index);

	assert(node);
	return node;
}

/* Both append to the path and return its former length, for path_pop(). */
static size_t path_push_key(struct reader *r, const char *key)
{
	size_t len = strlen(r->path);

	snprintf(r->path + len, sizeof(r->path) - len, "%s%s", len ? "." : "", key);
	return len;
}

static size_t path_push_index(struct reader *r, size_t index)
{
	size_t len = strlen(r->path);

	snprintf(r->path + len, sizeof(r->path) - len, "[%zu]", index);
	return len;
}

static void path_pop(struct reader *r, size_t len)
{
	r->path[len] = '\0';
}

/* YAML's ways to say nothing. */
static bool is_null(const yaml_node_t *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(reader_text(node), words[i]) == 0)
			return true;
	return false;
}

/* An escape sequence in a quoted string brings in what the file's bytes may not hold. */
static bool has_control(struct reader *r, const yaml_node_t *node)
{
	const char *text = reader_text(node);

	for (size_t i = 0; i < node->data.scalar.length; i++) {
		if ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f)
			continue;
		char form[8];
		MISTAKE(r, node, "the control character %s in a string; remove it",
			escape_text(text + i, 1, form, sizeof(form)));
		return true;
	}
	return false;
}

static const char *type_name(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a mapping";
	default:
		return "a single value";
	}
}

/* `- 2001:db8::` without quotes is a mapping with the key "2001:db8:". */
static bool mistyped_ipv6(const struct reader *r, const yaml_node_t *node)
{
	if (node->type != YAML_MAPPING_NODE)
		return false;

	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	if (pair == node->data.mapping.pairs.top)
		return false;
	const yaml_node_t *key = node_at(r, pair->key);
	if (key->type != YAML_SCALAR_NODE)
		return false;
	const char *text = reader_text(key);
	return strchr(text, ':') && text[strspn(text, "0123456789abcdefABCDEF:.")] == '\0';
}

static void mistake_type(struct reader *r, const struct field *field, const yaml_node_t *node)
{
	if (is_null(node))
		MISTAKE(r, node, "no value here; expected %s", field->expects);
	else
		MISTAKE(r, node, "expected %s, found %s", field->expects, type_name(node));
}

static const struct field *field_find(const struct mapping *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->n; i++)
		if (strcmp(mapping->fields[i].key, key) == 0)
			return &mapping->fields[i];
	return nullptr;
}

/* "a, b, c", as far as it fits. */
static const char *list_keys(const struct mapping *mapping, char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < mapping->n && len < size; i++)
		len += (size_t)snprintf(
			buf + len, size - len, "%s%s", i ? ", " : "", mapping->fields[i].key);
	return buf;
}

/* Returns the field that was probably meant, or nullptr. */
static const struct field *mistake_unknown(
	struct reader *r, const struct mapping *mapping, const yaml_node_t *key)
{
	struct suggestion best = {};
	char known[192];

	if (diag_full(r->diags)) {
		MISTAKE(r, key, "unknown key");
		return nullptr;
	}
	for (size_t i = 0; i < mapping->n; i++)
		suggest_offer(&best, reader_text(key), mapping->fields[i].key);

	if (best.word)
		MISTAKE(r, key, "unknown key; did you mean \"%s\"?", best.word);
	else if (strcmp(reader_text(key), "<<") == 0)
		MISTAKE(r, key, "merge keys (<<) are not supported; write the keys out");
	else
		MISTAKE(r, key, "unknown key; possible here: %s",
			list_keys(mapping, known, sizeof(known)));
	return best.word ? field_find(mapping, best.word) : nullptr;
}

/* By the index of the field in its table. */
struct seen {
	struct config_mark keys[MAPPING_MAX_KEYS]; /* line 0: not yet */
	bool misspelt[MAPPING_MAX_KEYS];           /* it would be noise to say that it is missing */
};

static void read_known(struct reader *r, const struct field *field, const yaml_node_t *key,
	const yaml_node_t *value, void *to, struct config_mark *first)
{
	if (first->line) {
		MISTAKE(r, key, "this key stands at %u:%u already; remove one", first->line,
			first->column);
		return;
	}
	*first = reader_mark(key);
	reader_value(r, field, value, to);
}

static void read_pair(struct reader *r, const struct mapping *mapping, const yaml_node_pair_t *pair,
	void *to, struct seen *seen)
{
	const yaml_node_t *key = node_at(r, pair->key);

	if (key->type != YAML_SCALAR_NODE) {
		MISTAKE(r, key, "expected a key, found %s", type_name(key));
		return;
	}
	if (has_control(r, key))
		return;

	size_t len = path_push_key(r, reader_shown(key).text);
	const struct field *field = field_find(mapping, reader_text(key));
	if (field)
		read_known(r, field, key, node_at(r, pair->value), to,
			&seen->keys[field - mapping->fields]);
	else if ((field = mistake_unknown(r, mapping, key)))
		seen->misspelt[field - mapping->fields] = true;
	path_pop(r, len);
}

static void read_mapping(
	struct reader *r, const struct mapping *mapping, const yaml_node_t *node, void *to)
{
	struct seen seen = {};

	assert(mapping->n <= MAPPING_MAX_KEYS);
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++)
		read_pair(r, mapping, pair, to, &seen);

	for (size_t i = 0; i < mapping->n; i++) {
		const struct field *field = &mapping->fields[i];
		if (field->required && !seen.keys[i].line && !seen.misspelt[i])
			MISTAKE(r, node, "the key \"%s\" is missing; it takes %s", field->key,
				field->expects);
	}
}

/* How many of so many elements are read. */
static size_t list_bound(
	struct reader *r, const struct list *list, const yaml_node_t *node, size_t count)
{
	if (count == 0 && list->if_empty)
		MISTAKE(r, node, "the list is empty; %s", list->if_empty);
	if (count <= list->max)
		return count;
	MISTAKE(r, node, "%zu %s; at most %zu are supported", count, list->what, list->max);
	r->over_limit = true;
	return list->max;
}

void *reader_list(struct reader *r, const struct list *list, const yaml_node_t *node, size_t *n)
{
	const yaml_node_item_t *items = node->data.sequence.items.start;
	size_t count = list_bound(r, list, node, (size_t)(node->data.sequence.items.top - items));
	char *elements = arena_alloc(r->arena, count, list->size);

	for (size_t i = 0; i < count; i++) {
		size_t len = path_push_index(r, i);
		if (list->initial)
			memcpy(elements + i * list->size, list->initial, list->size);
		reader_value(r, &list->element, node_at(r, items[i]), elements + i * list->size);
		path_pop(r, len);
	}
	*n = count;
	return elements;
}

void *reader_pairs(struct reader *r, const struct list *list, const struct field *key,
	const yaml_node_t *node, size_t *n)
{
	const yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
	size_t count = list_bound(r, list, node, (size_t)(node->data.mapping.pairs.top - pairs));
	char *elements = arena_alloc(r->arena, count, list->size);

	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *name = node_at(r, pairs[i].key);
		bool text = name->type == YAML_SCALAR_NODE;
		size_t len = path_push_key(r, text ? reader_shown(name).text : "?");
		reader_value(r, key, name, elements + i * list->size);
		reader_value(
			r, &list->element, node_at(r, pairs[i].value), elements + i * list->size);
		path_pop(r, len);
	}
	*n = count;
	return elements;
}

static void read_typed(
	struct reader *r, const struct field *field, const yaml_node_t *node, char *base)
{
	void *to = base + field->offset;

	if (node->type == YAML_MAPPING_NODE && field->mapping) {
		read_mapping(r, field->mapping, node, to);
	} else if (node->type == YAML_SEQUENCE_NODE && field->list) {
		size_t n;
		void *elements = reader_list(r, field->list, node, &n);
		memcpy(to, &elements, sizeof(elements));
		memcpy(base + field->count, &n, sizeof(n));
	} else {
		r->field = field;
		field->read(r, node, to);
	}
}

void reader_value(struct reader *r, const struct field *field, const yaml_node_t *node, void *base)
{
	static const unsigned type[] = {
		[YAML_SCALAR_NODE] = TEXT,
		[YAML_SEQUENCE_NODE] = LIST,
		[YAML_MAPPING_NODE] = MAPPING,
	};
	struct config_mark mark = reader_mark(node);

	if (field->mark)
		memcpy((char *)base + field->mark, &mark, sizeof(mark));
	if (mistyped_ipv6(r, node)) {
		MISTAKE(r, node, "put an IPv6 address that ends in a colon into quotes");
		return;
	}
	if (!(field->type & type[node->type]) || is_null(node)) {
		mistake_type(r, field, node);
		return;
	}
	if (node->type == YAML_SCALAR_NODE && has_control(r, node))
		return;
	if (field->given)
		*(bool *)((char *)base + field->given) = true;
	read_typed(r, field, node, base);
}
