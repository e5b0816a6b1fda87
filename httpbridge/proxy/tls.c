/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tls.h"
#include "lib/xmalloc.h"
#include "route/config.h"
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

static_assert(TLS_CERTIFICATE == -EKEYEXPIRED);
static_assert(TLS_ALERT == -EKEYREJECTED);
static_assert(TLS_PROTOCOL == -EPROTO);

struct tls {
	SSL_CTX *context;
	char *server_name; /* for SNI; nullptr for an address (RFC 6066 3) */
};

/* The first error that OpenSSL remembers, and no more. */
static int refuse(struct err *err, const char *what)
{
	char text[160];
	unsigned long code = ERR_get_error();

	ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return err_set(err, EINVAL, "%s: %s", what, code ? text : "not accepted");
}

static int add_authorities(SSL_CTX *context, const char *pem, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	unsigned n = 0;
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr))) {
		n += X509_STORE_add_cert(store, certificate) == 1;
		X509_free(certificate);
	}
	BIO_free(bio);
	ERR_clear_error(); /* the end of the text is an error, too */
	return n ? 0 : err_set(err, EINVAL, "ca: no certificate in it");
}

static int set_authorities(SSL_CTX *context, const struct bridge_tls *config, struct err *err)
{
	if (*config->ca)
		return add_authorities(context, config->ca, err);
	if (SSL_CTX_set_default_verify_paths(context) != 1)
		return refuse(err, "the system's certificates");
	return 0;
}

static int read_chain(SSL_CTX *context, BIO *bio)
{
	X509 *certificate = PEM_read_bio_X509_AUX(bio, nullptr, nullptr, nullptr);
	int ok = certificate && SSL_CTX_use_certificate(context, certificate) == 1;

	X509_free(certificate);
	while (ok && (certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)))
		ok = SSL_CTX_add0_chain_cert(context, certificate) == 1;
	return ok;
}

/* Nobody is there to be asked. */
static int no_passphrase(char *, int, int, void *)
{
	return -1;
}

static int set_certificate(SSL_CTX *context, const struct bridge_tls *config, struct err *err)
{
	if (!*config->certificate)
		return 0;
	BIO *bio = BIO_new_mem_buf(config->certificate, -1);
	int ok = read_chain(context, bio);
	BIO_free(bio);
	if (!ok)
		return refuse(err, "certificate");
	ERR_clear_error();
	bio = BIO_new_mem_buf(config->key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, nullptr, no_passphrase, nullptr);
	BIO_free(bio);
	ok = key && SSL_CTX_use_PrivateKey(context, key) == 1 &&
	     SSL_CTX_check_private_key(context) == 1;
	EVP_PKEY_free(key);
	return ok ? 0 : refuse(err, "key");
}

static int set_name(SSL_CTX *context, const struct bridge_tls *config, struct err *err)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
	int ok = config->server_address
			 ? X509_VERIFY_PARAM_set1_ip_asc(param, config->server_name)
			 : X509_VERIFY_PARAM_set1_host(param, config->server_name, 0);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return ok == 1 && *config->server_name ? 0 : refuse(err, "server_name");
}

static int set_up(SSL_CTX *context, const struct bridge_tls *config, struct err *err)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_read_ahead(context, 1);
	int error = set_authorities(context, config, err);
	if (!error)
		error = set_certificate(context, config, err);
	return error ? error : set_name(context, config, err);
}

int tls_new(const struct bridge_tls *config, struct tls **out, struct err *err)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	t->context = SSL_CTX_new(TLS_client_method());
	if (!t->context)
		out_of_memory();
	if (!config->server_address)
		t->server_name = xstrdup(config->server_name);
	int error = set_up(t->context, config, err);
	if (error) {
		tls_free(t);
		return error;
	}
	*out = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->context);
	free(t->server_name);
	free(t);
}

SSL *tls_session_new(struct tls *t, int fd)
{
	SSL *ssl = SSL_new(t->context);

	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		out_of_memory();
	if (t->server_name && SSL_set_tlsext_host_name(ssl, t->server_name) != 1)
		out_of_memory();
	SSL_set_connect_state(ssl);
	return ssl;
}

void tls_session_free(SSL *ssl)
{
	SSL_free(ssl);
}

/* An error that says why, if the queue has it. Leaves the queue empty. */
static int explain(const SSL *ssl)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	bool system = ERR_SYSTEM_ERROR(code);

	ERR_clear_error();
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return TLS_CERTIFICATE;
	if (system && reason)
		return -reason;
	/* Alerts of the peer are 1000 and its number (ssl.h, SSL_AD_REASON_OFFSET). */
	return reason > SSL_AD_REASON_OFFSET ? TLS_ALERT : TLS_PROTOCOL;
}

/* What a call that returned ret means. */
static int result(SSL *ssl, int ret, bool *want_write)
{
	int saved = errno;

	switch (SSL_get_error(ssl, ret)) {
	case SSL_ERROR_WANT_WRITE:
		*want_write = true;
		[[fallthrough]];
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		return saved ? -saved : -ECONNRESET;
	default:
		return explain(ssl);
	}
}

int tls_handshake(SSL *ssl, bool *want_write)
{
	errno = 0;
	ERR_clear_error();
	int ret = SSL_do_handshake(ssl);
	if (ret == 1)
		return 0;
	int error = result(ssl, ret, want_write);
	return error ? error : TLS_PROTOCOL;
}

ssize_t tls_read(SSL *ssl, char *buf, size_t size, bool *want_write)
{
	size_t n;

	errno = 0;
	ERR_clear_error();
	int ret = SSL_read_ex(ssl, buf, size, &n);
	if (ret == 1)
		return (ssize_t)n;
	int error = result(ssl, ret, want_write);
	/* An end that nobody vouches for could be anybody's. */
	return error == TLS_PROTOCOL ? -ECONNRESET : error;
}

ssize_t tls_write(SSL *ssl, const char *buf, size_t len)
{
	bool want_write;
	size_t n;

	errno = 0;
	ERR_clear_error();
	int ret = SSL_write_ex(ssl, buf, len, &n);
	if (ret == 1)
		return (ssize_t)n;
	int error = result(ssl, ret, &want_write);
	return error ? error : -EPIPE;
}

bool tls_has_pending(const SSL *ssl)
{
	return SSL_has_pending(ssl);
}

bool tls_is_silent(SSL *ssl)
{
	bool want_write = false;
	size_t n;
	char byte;

	errno = 0;
	ERR_clear_error();
	int ret = SSL_peek_ex(ssl, &byte, 1, &n);
	return ret != 1 && result(ssl, ret, &want_write) == -EAGAIN && !want_write;
}

void tls_shutdown(SSL *ssl)
{
	ERR_clear_error();
	(void)SSL_shutdown(ssl);
}

const char *tls_failure_str(const SSL *ssl)
{
	return X509_verify_cert_error_string(SSL_get_verify_result(ssl));
}
