/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rule_int: how the words of a rule come about. Expressions that load something make an operand;
 * the next one that uses the register says what is asked of it. Operands are forgotten then.
 */
#include "nft/nftnl.h"
#include "nft/rule.h"
#include <libnftnl/expr.h>

/* How the bytes of an operand are told. */
enum nft_value {
	VALUE_HEX,
	VALUE_NAME,    /* of an interface */
	VALUE_ADDRESS, /* or its first bytes; of IPv4, or whole */
	VALUE_ADDRESS6,
	VALUE_NUMBER, /* network order */
	VALUE_HOST,   /* host order */
	VALUE_MARK,   /* host order, hexadecimal */
	VALUE_PROTO,  /* IPPROTO_x */
	VALUE_NFPROTO,
	VALUE_FIB_TYPE, /* RTN_x, host order */
	VALUE_FIB_EXISTS,
	VALUE_CT_STATE, /* bits, host order; so are the next two */
	VALUE_CT_STATUS,
	VALUE_TCP_FLAGS,
	VALUE_CT_DIR,
	VALUES,
};

constexpr size_t NFT_OPERANDS = 8;
constexpr size_t NFT_DATA_LEN = 64;

struct nft_operand {
	char name[80]; /* "ip saddr"; empty = data of its own */
	enum nft_value value;
	uint32_t reg; /* first 32-bit register */
	uint32_t len; /* bytes; of data, or of the mask */
	bool masked;  /* only these bits of it */
	uint8_t data[NFT_DATA_LEN];
};

struct nft_words {
	struct nft_rule *rule;
	size_t len; /* of the text */
	bool open;  /* a range waits for its end */
	struct nft_operand operands[NFT_OPERANDS];
	size_t n;
	uint8_t l4proto, nfproto; /* once compared; 0 = not known */
	/* Words that a later one may imply: "meta nfproto ipv4", "meta l4proto tcp". */
	char nfproto_words[40], l4proto_words[40];
};

/* Appends words, with a blank in front. */
[[gnu::format(printf, 2, 3)]] void nft_say(struct nft_words *w, const char *fmt, ...);
/* … without. */
void nft_say_on(struct nft_words *w, const char *text);

constexpr size_t NFT_VALUE_LEN = 128;
/* The bytes as this kind of value; returns buf. */
const char *nft_value_str(
	enum nft_value value, const uint8_t *data, size_t len, char buf[static NFT_VALUE_LEN]);

/* Numbers of 32-bit registers. */
uint32_t nft_register(uint32_t reg);
struct nft_operand *nft_operand_at(struct nft_words *w, uint32_t reg); /* nullptr = none */
struct nft_operand *nft_operand_add(struct nft_words *w, uint32_t reg);

typedef void (*nft_word)(struct nft_words *w, const struct nftnl_expr *e);
struct nft_word_row {
	const char *name; /* of the expression */
	nft_word say;
};
/* rule_load.c, rule_say.c, rule_xt.c; each ends with an empty row. */
extern const struct nft_word_row nft_words_load[], nft_words_say[], nft_words_xt[];
