/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/pin.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/xmalloc.h"
#include "quic/identity.h"

void quic_pin_str(const uint8_t digest[static QUIC_KEY_DIGEST], char pin[static QUIC_PIN_STRLEN])
{
	static const char scheme[] = "sha256/";
	unsigned char text[QUIC_PIN_STRLEN];

	EVP_EncodeBlock(text, digest, QUIC_KEY_DIGEST);
	memcpy(pin, scheme, sizeof(scheme) - 1);
	memcpy(pin + sizeof(scheme) - 1, text, QUIC_PIN_STRLEN - (sizeof(scheme) - 1));
}

/* One of a PEM file (RFC 7468 s2), with the headers of RFC 1421 that old keys have. */
struct block {
	char *name;
	char *headers;
	unsigned char *bytes;
	long n;
};

static void block_clear(struct block *b)
{
	OPENSSL_free(b->name);
	OPENSSL_free(b->headers);
	OPENSSL_clear_free(b->bytes, b->n > 0 ? (size_t)b->n : 0);
	*b = (struct block){};
}

static bool digest_of_key(const EVP_PKEY *key, uint8_t digest[static QUIC_KEY_DIGEST])
{
	unsigned char *der = nullptr;
	int n = key ? i2d_PUBKEY(key, &der) : 0;
	bool done = n > 0 && EVP_Digest(der, (size_t)n, digest, nullptr, EVP_sha256(), nullptr);

	OPENSSL_free(der);
	return done;
}

static bool of_certificate(const unsigned char *der, long n, uint8_t digest[static QUIC_KEY_DIGEST])
{
	X509 *x = d2i_X509(nullptr, &der, n);
	bool done = x && quic_key_digest(x, digest);

	X509_free(x);
	return done;
}

static bool of_public_key(const unsigned char *der, long n, uint8_t digest[static QUIC_KEY_DIGEST])
{
	EVP_PKEY *key = d2i_PUBKEY(nullptr, &der, n);
	bool done = digest_of_key(key, digest);

	EVP_PKEY_free(key);
	return done;
}

static bool of_private_key(const unsigned char *der, long n, uint8_t digest[static QUIC_KEY_DIGEST])
{
	EVP_PKEY *key = d2i_AutoPrivateKey(nullptr, &der, n);
	bool done = digest_of_key(key, digest);

	EVP_PKEY_free(key);
	return done;
}

static const char locked[] = "the key has a pass phrase; give the certificate, or the key without "
			     "it, as openssl pkey -in FILE prints it";

/* What is not here is passed over, such as the parameters of a curve. */
static const struct kind {
	const char *name;
	bool (*read)(const unsigned char *der, long n, uint8_t digest[static QUIC_KEY_DIGEST]);
	const char *refusal;
} kinds[] = {
	{PEM_STRING_X509, of_certificate, nullptr},
	{PEM_STRING_X509_OLD, of_certificate, nullptr},
	{PEM_STRING_PUBLIC, of_public_key, nullptr},
	{PEM_STRING_PKCS8INF, of_private_key, nullptr},
	{PEM_STRING_ECPRIVATEKEY, of_private_key, nullptr},
	{PEM_STRING_RSA, of_private_key, nullptr},
	{PEM_STRING_PKCS8, nullptr, locked},
	{PEM_STRING_X509_REQ, nullptr,
		"it is a request for a certificate; give the certificate, or the key"},
	{PEM_STRING_X509_REQ_OLD, nullptr,
		"it is a request for a certificate; give the certificate, or the key"},
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return nullptr;
}

static int pin_of(const struct block *b, const struct kind *kind, char pin[static QUIC_PIN_STRLEN],
	struct err *err)
{
	uint8_t digest[QUIC_KEY_DIGEST];

	if (kind->refusal)
		return err_set(err, EINVAL, "%s", kind->refusal);
	if (strstr(b->headers, "ENCRYPTED"))
		return err_set(err, EINVAL, "%s", locked);
	if (!kind->read(b->bytes, b->n, digest))
		return err_set(err, EINVAL,
			"its first %s is damaged; copy it again, or make another one", b->name);
	quic_pin_str(digest, pin);
	return 0;
}

/* What stands between the lines of a block is no Base64, or its end is not there. */
static int fail_nothing(const char *pem, size_t n, struct err *err)
{
	if (n == 0)
		return err_set(err, ENODATA, "it is empty; give a certificate or a key in PEM");
	if (memmem(pem, n, "-----BEGIN ", 11))
		return err_set(err, EINVAL,
			"no certificate and no key in it can be read; copy it again, whole lines "
			"from BEGIN to END");
	return err_set(err, EINVAL,
		"there is no PEM in it; openssl x509 -inform der, or openssl pkey, makes PEM of a "
		"binary file");
}

int quic_pin_read(const char *pem, size_t n, char pin[static QUIC_PIN_STRLEN], struct err *err)
{
	BIO *b = BIO_new_mem_buf(pem, n < INT_MAX ? (int)n : INT_MAX);
	struct block block = {};
	int r = 1;

	if (!b)
		out_of_memory();
	while (r > 0 && PEM_read_bio(b, &block.name, &block.headers, &block.bytes, &block.n) == 1) {
		const struct kind *kind = kind_of(block.name);
		if (kind)
			r = pin_of(&block, kind, pin, err);
		block_clear(&block);
	}
	ERR_clear_error();
	BIO_free(b);
	return r > 0 ? fail_nothing(pem, n, err) : r;
}
