/* SPDX-License-Identifier: Apache-2.0 */
#include "quic_identity.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xmalloc.h"

static char *take_text(BIO *b)
{
	char *data;
	long n = BIO_get_mem_data(b, &data);
	char *text = xcalloc(1, (size_t)n + 1);

	memcpy(text, data, (size_t)n);
	BIO_free(b);
	return text;
}

static void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);

	assert_non_null(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

static bool is_address(const char *name)
{
	uint8_t bytes[16];

	return inet_pton(strchr(name, ':') ? AF_INET6 : AF_INET, name, bytes) == 1;
}

/* Fixed ones: a signature's length depends on what it signs, and a world's run on its bytes. */
static void set_times(X509 *x, bool expired)
{
	ASN1_TIME_set_string(X509_getm_notBefore(x), "20260101000000Z");
	ASN1_TIME_set_string(
		X509_getm_notAfter(x), expired ? "20260201000000Z" : "99991231235959Z");
}

/* Not signed yet, and by nobody. */
static X509 *certificate_of(EVP_PKEY *key, const char *name, bool authority)
{
	X509 *x = X509_new();
	char alternative[80];

	snprintf(alternative, sizeof(alternative), "%s:%s", is_address(name) ? "IP" : "DNS", name);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
		(const unsigned char *)name, -1, -1, 0);
	X509_set_pubkey(x, key);
	add_extension(x, NID_subject_alt_name, alternative);
	add_extension(x, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
	return x;
}

static void take_identity(struct test_identity *id, const X509 *x, const EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	unsigned char *der = nullptr;
	int n;

	PEM_write_bio_X509(b, x);
	id->certificate = take_text(b);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(b, key, nullptr, nullptr, 0, nullptr, nullptr);
	id->key = take_text(b);
	n = i2d_PUBKEY(key, &der);
	EVP_Digest(der, (size_t)n, id->pin[0], nullptr, EVP_sha256(), nullptr);
	OPENSSL_free(der);
}

void test_identity_make(struct test_identity *id, const char *type, const char *name)
{
	bool curve = strncmp(type, "P-", 2) == 0;
	EVP_PKEY *key = curve ? EVP_EC_gen(type) : EVP_PKEY_Q_keygen(nullptr, nullptr, type);
	X509 *x = certificate_of(key, name, true);

	set_times(x, false);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_sign(x, key, curve ? EVP_sha256() : nullptr) > 0);
	take_identity(id, x, key);
	X509_free(x);
	EVP_PKEY_free(key);
}

static X509 *read_certificate(const struct test_identity *id)
{
	BIO *b = BIO_new_mem_buf(id->certificate, -1);
	X509 *x = PEM_read_bio_X509(b, nullptr, nullptr, nullptr);

	BIO_free(b);
	assert_non_null(x);
	return x;
}

static EVP_PKEY *read_key(const struct test_identity *id)
{
	BIO *b = BIO_new_mem_buf(id->key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, nullptr, nullptr, nullptr);

	BIO_free(b);
	assert_non_null(key);
	return key;
}

void test_identity_issue(struct test_identity *id, const char *name, enum test_issue what,
	const struct test_identity *by)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY *issuer_key = by ? read_key(by) : key;
	X509 *x = certificate_of(key, name, what != TEST_ISSUE_LEAF);
	X509 *issuer = by ? read_certificate(by) : x;

	set_times(x, what == TEST_ISSUE_EXPIRED_CA);
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	assert_true(X509_sign(x, issuer_key, EVP_sha256()) > 0);
	take_identity(id, x, key);
	if (by) {
		X509_free(issuer);
		EVP_PKEY_free(issuer_key);
	}
	X509_free(x);
	EVP_PKEY_free(key);
}

void test_identity_clear(struct test_identity *id)
{
	free(id->certificate);
	free(id->key);
	*id = (struct test_identity){};
}
