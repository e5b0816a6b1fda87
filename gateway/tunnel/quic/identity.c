/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/identity.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/own.h"
#include "lib/xmalloc.h"
#include "quic/pin.h"

constexpr size_t MAX_CERTIFICATES = 64;

static void own_bio(BIO **b)
{
	BIO_free(*b);
}

#define autobio [[gnu::cleanup(own_bio)]]

/* The library's own words for the last failure, which are forgotten then. */
static int refuse(struct err *err, int code, const char *what)
{
	char text[120] = "no reason given";
	unsigned long reason = ERR_peek_last_error();

	if (reason)
		ERR_error_string_n(reason, text, sizeof(text));
	ERR_clear_error();
	return err_set(err, code, "%s: %s", what, text);
}

/* A key with a pass phrase is refused instead of asked for on a terminal. */
static int no_phrase(char *, int, int, void *)
{
	return -1;
}

static int read_key(struct quic_credentials *c, const char *pem, struct err *err)
{
	autobio BIO *b = BIO_new_mem_buf(pem, -1);

	c->key = b ? PEM_read_bio_PrivateKey(b, nullptr, no_phrase, nullptr) : nullptr;
	return c->key ? 0 : refuse(err, QUIC_BAD_PAIR, "key");
}

/* The first certificate is the leaf. */
static int read_certificates(struct quic_credentials *c, const char *pem, struct err *err)
{
	autobio BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *next;

	c->leaf = b ? PEM_read_bio_X509(b, nullptr, no_phrase, nullptr) : nullptr;
	c->chain = sk_X509_new_null();
	if (!c->leaf)
		return refuse(err, QUIC_BAD_PAIR, "certificate");
	if (!c->chain)
		out_of_memory();
	while ((next = PEM_read_bio_X509(b, nullptr, no_phrase, nullptr)))
		if (!sk_X509_push(c->chain, next))
			out_of_memory();
	ERR_clear_error();
	if (X509_check_private_key(c->leaf, c->key) != 1)
		return refuse(err, QUIC_BAD_PAIR, "certificate and key");
	return 0;
}

static int read_authorities(struct quic_credentials *c, const char *pem, struct err *err)
{
	autobio BIO *b = BIO_new_mem_buf(pem, -1);
	size_t n = 0;
	X509 *next;

	c->authorities = X509_STORE_new();
	if (!c->authorities || !b)
		out_of_memory();
	while (n < MAX_CERTIFICATES && (next = PEM_read_bio_X509(b, nullptr, no_phrase, nullptr))) {
		int added = X509_STORE_add_cert(c->authorities, next);

		X509_free(next);
		if (!added)
			return refuse(err, QUIC_BAD_CA, "ca");
		n++;
	}
	if (n == 0)
		return refuse(err, QUIC_BAD_CA, "ca");
	ERR_clear_error();
	return 0;
}

int quic_credentials_read(
	struct quic_credentials *c, const struct quic_identity *identity, struct err *err)
{
	bool ca = identity->ca && *identity->ca;
	int r;

	*c = (struct quic_credentials){};
	if (!identity->certificate || !identity->key)
		return err_set(err, EINVAL, "certificate and key are needed");
	if (!ca && identity->n_pins == 0)
		return err_set(err, EINVAL, "neither pins nor ca: nobody could be accepted");
	r = read_key(c, identity->key, err);
	if (r == 0)
		r = read_certificates(c, identity->certificate, err);
	if (r == 0 && ca)
		r = read_authorities(c, identity->ca, err);
	if (r < 0) {
		quic_credentials_clear(c);
		return r;
	}
	c->pins = xcalloc(identity->n_pins, QUIC_KEY_DIGEST);
	c->n_pins = identity->n_pins;
	if (c->n_pins)
		memcpy(c->pins, identity->pins, c->n_pins * QUIC_KEY_DIGEST);
	return 0;
}

void quic_credentials_clear(struct quic_credentials *c)
{
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	X509_STORE_free(c->authorities);
	free(c->pins);
	*c = (struct quic_credentials){};
}

bool quic_key_digest(const X509 *x, uint8_t digest[static QUIC_KEY_DIGEST])
{
	unsigned char *der = nullptr;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	bool done = n > 0 && EVP_Digest(der, (size_t)n, digest, nullptr, EVP_sha256(), nullptr);

	OPENSSL_free(der);
	return done;
}

static bool pinned(const struct quic_credentials *c, X509 *leaf)
{
	uint8_t digest[QUIC_KEY_DIGEST];

	if (!quic_key_digest(leaf, digest))
		return false;
	for (size_t i = 0; i < c->n_pins; i++)
		if (memcmp(c->pins[i], digest, sizeof(digest)) == 0)
			return true;
	return false;
}

/* A name, or an address as text. */
static bool expect_name(X509_VERIFY_PARAM *param, const char *name)
{
	return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ||
	       X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

/* Which time it holds, where that is what is wrong. */
static void explain_dates(const X509 *x, char *out, size_t size)
{
	struct tm from = {}, to = {};
	char texts[2][32] = {};

	(void)ASN1_TIME_to_tm(X509_get0_notBefore(x), &from);
	(void)ASN1_TIME_to_tm(X509_get0_notAfter(x), &to);
	strftime(texts[0], sizeof(texts[0]), "%F %TZ", &from);
	strftime(texts[1], sizeof(texts[1]), "%F %TZ", &to);
	snprintf(out, size, ": %s to %s", texts[0], texts[1]);
}

/* Of whoever stands above the leaf in a chain, since it is not the leaf that has to be mended then.
 */
static size_t explain_authority(const X509 *x, char *out, size_t size)
{
	char name[64] = "";

	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name));
	for (char *p = name; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return (size_t)snprintf(out, size, " (authority %s)", *name ? name : "without a name");
}

static void explain(X509_STORE_CTX *ctx, int verdict, char *out, size_t size)
{
	const X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	size_t n = (size_t)snprintf(out, size, "%s", X509_verify_cert_error_string(verdict));

	if (x && n < size && X509_STORE_CTX_get_error_depth(ctx) > 0)
		n += explain_authority(x, out + n, size - n);
	if (x && n < size &&
		(verdict == X509_V_ERR_CERT_HAS_EXPIRED ||
			verdict == X509_V_ERR_CERT_NOT_YET_VALID))
		explain_dates(x, out + n, size - n);
}

static int authorised(
	const struct quic_credentials *c, const struct quic_shown *shown, char *why, size_t size)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int verdict = X509_V_ERR_UNSPECIFIED;

	if (!ctx)
		out_of_memory();
	if (X509_STORE_CTX_init(ctx, c->authorities, shown->leaf, shown->chain) == 1 &&
		X509_STORE_CTX_set_default(ctx, shown->to_server ? "ssl_client" : "ssl_server") ==
			1 &&
		(!shown->name || expect_name(X509_STORE_CTX_get0_param(ctx), shown->name)))
		verdict = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	if (verdict != X509_V_OK)
		explain(ctx, verdict, why, size);
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return verdict;
}

static int not_pinned(const X509 *leaf, char *why, size_t size)
{
	uint8_t digest[QUIC_KEY_DIGEST];
	char pin[QUIC_PIN_STRLEN];

	if (quic_key_digest(leaf, digest)) {
		quic_pin_str(digest, pin);
		snprintf(why, size, "its key is %s, none of the pins", pin);
	}
	return QUIC_NOT_PINNED;
}

int quic_credentials_judge(
	const struct quic_credentials *c, const struct quic_shown *shown, char *why, size_t size)
{
	if (c->n_pins && !pinned(c, shown->leaf))
		return not_pinned(shown->leaf, why, size);
	return c->authorities ? authorised(c, shown, why, size) : X509_V_OK;
}
