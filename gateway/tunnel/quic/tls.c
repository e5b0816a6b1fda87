/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_ossl.h>

#include "lib/own.h"
#include "lib/xmalloc.h"
#include "quic/identity.h"

#define DEFAULT_GROUPS "X25519MLKEM768:X25519:P-256"

/* Of those that TLS 1.3 has by default, the cheapest first: encryption is half of a packet's cost.
 */
#define CIPHERS "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

/* RFC 9114 s3.1, as the length-prefixed list that OpenSSL takes. */
static const unsigned char ALPN[] = "\x02h3";
constexpr unsigned int ALPN_LENGTH = sizeof(ALPN) - 1;
constexpr size_t COMPLAINT_MAX = 128;

static void own_openssl(char **text)
{
	OPENSSL_free(*text);
}

#define autoopenssl [[gnu::cleanup(own_openssl)]]

struct quic_tls {
	unsigned int references;
	struct quic_credentials credentials;
	SSL_CTX *server;
	SSL_CTX *client;
	struct quic_secrets secrets;
};

static int choose_alpn(SSL *, const unsigned char **out, unsigned char *out_length,
	const unsigned char *in, unsigned int in_length, void *)
{
	for (unsigned int at = 0; at < in_length; at += 1U + in[at]) {
		if (in_length - at < ALPN_LENGTH || memcmp(in + at, ALPN, ALPN_LENGTH) != 0)
			continue;
		*out = in + at + 1;
		*out_length = in[at];
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Why not, in words, is put into a buffer of so many bytes, which may be 0. */
static int judge(const struct quic_tls *t, SSL *ssl, X509 *leaf, STACK_OF(X509) * chain, char *why,
	size_t size)
{
	bool server = SSL_is_server(ssl);
	const char *name = server ? nullptr : SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	autoopenssl char *address = X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param(ssl));
	const struct quic_shown shown = {leaf, chain, server, name ? name : address};

	ERR_clear_error(); /* that there is no address */
	return leaf ? quic_credentials_judge(&t->credentials, &shown, why, size) : QUIC_NOT_PINNED;
}

static void free_complaint(void *, void *text, CRYPTO_EX_DATA *, int, long, void *)
{
	free(text);
}

/* Where a session keeps the words, since a certificate that was not accepted is not kept. */
static int complaint_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_complaint);
	return index;
}

static void complain(SSL *ssl, const char *why)
{
	char *text = xstrdup(why);

	free(SSL_get_ex_data(ssl, complaint_index()));
	if (SSL_set_ex_data(ssl, complaint_index(), text) != 1)
		out_of_memory();
}

/* In place of the library's own verification. */
static int verify(X509_STORE_CTX *ctx, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	char why[COMPLAINT_MAX] = "";
	int verdict = judge(arg, ssl, leaf, X509_STORE_CTX_get0_untrusted(ctx), why, sizeof(why));

	/* The error becomes an alert: access_denied would be truer of a key, but has no entry. */
	X509_STORE_CTX_set_error(ctx, verdict);
	if (verdict != X509_V_OK && leaf)
		complain(ssl, why);
	return verdict == X509_V_OK;
}

/* For OpenSSL's controls, which write to none of what they are given here. Its macros for them cast
 * the const away in a way that clang warns of. */
static void *unqualified(const char *text)
{
	return (void *)(uintptr_t)text;
}

/* A client sends shares of the first two groups, which is what the stars mean: OpenSSL by itself
 * sends only the first one's, and not every server that lacks it knows how to ask again (RFC 8446
 * s4.1.4). A server asks for its first group whoever knows it and sent the share of another, which
 * is what the slash means: OpenSSL by itself takes what was sent. */
static int set_groups(SSL_CTX *ctx, bool server, const char *groups)
{
	const char *rest = strchr(groups, ':');
	autofree char *list = nullptr;

	if (!rest)
		return (int)SSL_CTX_ctrl(ctx, SSL_CTRL_SET_GROUPS_LIST, 0, unqualified(groups));
	if (asprintf(&list, server ? "%.*s/%s" : "*%.*s:*%s", (int)(rest - groups), groups,
		    rest + 1) < 0)
		out_of_memory();
	return (int)SSL_CTX_ctrl(ctx, SSL_CTRL_SET_GROUPS_LIST, 0, list);
}

/* A pair that is one may be too weak. */
static int use_pair(SSL_CTX *ctx, const struct quic_credentials *c, struct err *err)
{
	if (SSL_CTX_use_cert_and_key(ctx, c->leaf, c->key, c->chain, 1) == 1)
		return 0;
	const char *why = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return err_set(err, QUIC_BAD_PAIR, "certificate and key are not for TLS 1.3: %s",
		why ? why : "no reason given");
}

static SSL_CTX *context(struct quic_tls *t, bool server, const char *groups, struct err *err)
{
	static const unsigned char scope[] = "meshgw";
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (!ctx)
		out_of_memory();
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
		set_groups(ctx, server, groups) != 1 ||
		SSL_CTX_set_ciphersuites(ctx, CIPHERS) != 1 ||
		SSL_CTX_set_session_id_context(ctx, scope, sizeof(scope) - 1) != 1 ||
		SSL_CTX_set_max_early_data(ctx, 0) != 1) {
		ERR_clear_error();
		SSL_CTX_free(ctx);
		err_set(err, EINVAL, "groups are not for TLS 1.3");
		return nullptr;
	}
	if (use_pair(ctx, &t->credentials, err) < 0) {
		SSL_CTX_free(ctx);
		return nullptr;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
	SSL_CTX_set_cert_verify_callback(ctx, verify, t);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (server)
		SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, nullptr);
	else
		SSL_CTX_set_alpn_protos(ctx, ALPN, ALPN_LENGTH);
	return ctx;
}

/* RFC 5869. */
static bool derive(const unsigned char *der, size_t n, const char *label, uint8_t key[QUIC_SECRET])
{
	static const uint8_t salt[] = "meshgw";
	ngtcp2_crypto_md md;

	ngtcp2_crypto_md_init(&md, (void *)(uintptr_t)EVP_sha256());
	return ngtcp2_crypto_hkdf(key, QUIC_SECRET, &md, der, n, salt, sizeof(salt) - 1,
		       (const uint8_t *)label, strlen(label)) == 0;
}

/* Of the private key's DER form. */
static int derive_secrets(struct quic_tls *t, struct err *err)
{
	unsigned char *der = nullptr;
	int n = i2d_PrivateKey(t->credentials.key, &der);
	bool done = n > 0 && derive(der, (size_t)n, "quic stateless reset", t->secrets.reset) &&
		    derive(der, (size_t)n, "quic address token", t->secrets.token);

	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	return done ? 0 : err_set(err, QUIC_BAD_PAIR, "no key can be derived from the private key");
}

int quic_tls_new(struct quic_tls **out, const struct quic_identity *identity,
	int (*on_ticket)(SSL *, SSL_SESSION *), struct err *err)
{
	const char *groups = identity->groups && *identity->groups ? identity->groups
								   : DEFAULT_GROUPS;
	struct quic_tls *t = xcalloc(1, sizeof(*t));
	int r;

	t->references = 1;
	r = quic_credentials_read(&t->credentials, identity, err);
	if (r == 0)
		r = derive_secrets(t, err);
	if (r == 0)
		t->server = context(t, true, groups, err);
	if (t->server)
		t->client = context(t, false, groups, err);
	if (!t->client) {
		quic_tls_unref(t);
		return err && err->code ? -err->code : -EINVAL;
	}
	SSL_CTX_set_session_cache_mode(
		t->client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(t->client, on_ticket);
	*out = t;
	return 0;
}

struct quic_tls *quic_tls_ref(struct quic_tls *t)
{
	t->references++;
	return t;
}

void quic_tls_unref(struct quic_tls *t)
{
	if (!t || --t->references)
		return;
	SSL_CTX_free(t->server);
	SSL_CTX_free(t->client);
	quic_credentials_clear(&t->credentials);
	OPENSSL_cleanse(&t->secrets, sizeof(t->secrets));
	free(t);
}

/* Addresses are no names (RFC 6066 s3): they are not sent, only asked of the certificate. */
static bool name_server(SSL *ssl, const char *name)
{
	if (!name || !*name)
		return true;
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1)
		return true;
	ERR_clear_error();
	return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
		       unqualified(name)) == 1;
}

SSL *quic_tls_session(struct quic_tls *t, bool server, const char *server_name)
{
	SSL *ssl = SSL_new(server ? t->server : t->client);
	int r;

	if (!ssl)
		out_of_memory();
	if (server) {
		r = ngtcp2_crypto_ossl_configure_server_session(ssl);
		SSL_set_accept_state(ssl);
	} else {
		r = ngtcp2_crypto_ossl_configure_client_session(ssl);
		SSL_set_connect_state(ssl);
	}
	if (r != 0 || !name_server(ssl, server_name)) {
		ERR_clear_error();
		SSL_free(ssl);
		return nullptr;
	}
	return ssl;
}

const char *quic_tls_complaint(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, complaint_index());
}

int quic_tls_judge(const struct quic_tls *t, SSL *ssl)
{
	return judge(
		t, ssl, SSL_get0_peer_certificate(ssl), SSL_get_peer_cert_chain(ssl), nullptr, 0);
}

bool quic_tls_peer_key(SSL *ssl, uint8_t digest[static QUIC_KEY_DIGEST])
{
	X509 *leaf = SSL_get0_peer_certificate(ssl);

	return leaf && quic_key_digest(leaf, digest);
}

void quic_tls_secrets(const struct quic_tls *t, struct quic_secrets *secrets)
{
	*secrets = t->secrets;
}
