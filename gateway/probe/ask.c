/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/ask.h"
#include "lib/xmalloc.h"
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

/* What curl's options take is checked by its macros at compile time; a failure to set one is a lack
 * of memory or a libcurl without the feature. */
#define SET(curl, option, value)                                             \
	do {                                                                 \
		if (curl_easy_setopt((curl), (option), (value)) != CURLE_OK) \
			out_of_memory();                                     \
	} while (0)

/* A service that understands the other language says so at once. */
constexpr uint64_t AGAIN_US = 700'000;

struct said {
	char bytes[ASK_BYTES + 1]; /* of the answer's body, or of what is no HTTP */
	size_t n;
	char record[5]; /* first bytes that answered a ClientHello */
	size_t n_record;
	int alert;  /* of TLS, -1 = none */
	bool spoke; /* a ClientHello was sent */
	char error[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct said *s = arg;
	size_t len = size * n, room = ASK_BYTES - s->n;
	size_t take = len < room ? len : room;

	memcpy(s->bytes + s->n, data, take);
	s->n += take;
	return take < len ? 0 : len; /* 0 ends it */
}

/* The first record's header is enough to know who speaks: TLS, or "HTTP/". */
static void on_message(int sent, int, int type, const void *data, size_t len, SSL *, void *arg)
{
	struct said *s = arg;
	const unsigned char *bytes = data;

	if (sent) {
		s->spoke = true;
		return;
	}
	if (type == SSL3_RT_HEADER && !s->n_record && len >= sizeof(s->record)) {
		memcpy(s->record, bytes, sizeof(s->record));
		s->n_record = sizeof(s->record);
	}
	if (type == SSL3_RT_ALERT && len == 2 && bytes[1] != SSL_AD_CLOSE_NOTIFY)
		s->alert = bytes[1];
}

static CURLcode on_context(CURL *, void *context, void *arg)
{
	SSL_CTX_set_msg_callback(context, on_message);
	SSL_CTX_set_msg_callback_arg(context, arg);
	return CURLE_OK;
}

static void set_place(CURL *curl, const struct ask *a)
{
	char interface[128];

	SET(curl, CURLOPT_NOPROXY, "*");
	SET(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (!a->interface && !a->source)
		return;
	if (a->interface && a->source)
		snprintf(interface, sizeof(interface), "ifhost!%s!%s", a->interface, a->source);
	else if (a->interface)
		snprintf(interface, sizeof(interface), "if!%s", a->interface);
	else
		snprintf(interface, sizeof(interface), "host!%s", a->source);
	SET(curl, CURLOPT_INTERFACE, interface);
}

static struct curl_slist *list_of(const char *entry)
{
	struct curl_slist *list = curl_slist_append(nullptr, entry);

	if (!list)
		out_of_memory();
	return list;
}

/* "::ADDRESS:PORT": that is where it connects to, whatever the URL names. */
static struct curl_slist *set_server_name(CURL *curl, const struct ask *a, bool tls)
{
	char url[1024], entry[400];
	bool v6 = strchr(a->target, ':'), name6 = strchr(a->server_name, ':');

	snprintf(url, sizeof(url), "%s://%s%s%s:%u%s", tls ? "https" : "http", name6 ? "[" : "",
		a->server_name, name6 ? "]" : "", a->port, a->path);
	snprintf(entry, sizeof(entry), "::%s%s%s:%u", v6 ? "[" : "", a->target, v6 ? "]" : "",
		a->port);
	struct curl_slist *list = list_of(entry);
	SET(curl, CURLOPT_URL, url);
	SET(curl, CURLOPT_CONNECT_TO, list);
	return list;
}

/* "HOST:PORT:ADDRESS", so that no name is asked for. */
static struct curl_slist *set_url(CURL *curl, const struct ask *a, bool tls)
{
	char url[1024], entry[400];
	bool v6 = strchr(a->target, ':');
	const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";

	if (a->server_name)
		return set_server_name(curl, a, tls);
	if (!a->host) {
		snprintf(url, sizeof(url), "%s://%s%s%s:%u%s", tls ? "https" : "http", open,
			a->target, close, a->port, a->path);
		SET(curl, CURLOPT_URL, url);
		return nullptr;
	}
	snprintf(url, sizeof(url), "%s://%s:%u%s", tls ? "https" : "http", a->host, a->port,
		a->path);
	snprintf(entry, sizeof(entry), "%s:%u:%s%s%s", a->host, a->port, open, a->target, close);
	struct curl_slist *list = list_of(entry);
	SET(curl, CURLOPT_URL, url);
	SET(curl, CURLOPT_RESOLVE, list);
	return list;
}

/* Exactly those, and none that they have made in turn. */
static void set_authorities(CURL *curl, const char *ca)
{
	struct curl_blob blob = {.data = (void *)(uintptr_t)ca, .len = strlen(ca)};

	blob.flags = CURL_BLOB_COPY;
	SET(curl, CURLOPT_CAINFO_BLOB, &blob);
	SET(curl, CURLOPT_CAPATH, (char *)nullptr);
	SET(curl, CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NO_PARTIALCHAIN);
}

static void set_answer(CURL *curl, const struct ask *a, bool tls, struct said *s)
{
	SET(curl, CURLOPT_TIMEOUT_MS, (long)(a->timeout_us / 1000));
	SET(curl, CURLOPT_WRITEFUNCTION, on_body);
	SET(curl, CURLOPT_WRITEDATA, s);
	SET(curl, CURLOPT_ERRORBUFFER, s->error);
	SET(curl, CURLOPT_USERAGENT, "meshgw-probe");
	SET(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(curl, CURLOPT_HTTP09_ALLOWED, 1L); /* so that garbage reaches on_body() */
	SET(curl, CURLOPT_NOSIGNAL, 1L);
	if (tls) {
		SET(curl, CURLOPT_SSL_CTX_FUNCTION, on_context);
		SET(curl, CURLOPT_SSL_CTX_DATA, s);
		if (a->ca)
			set_authorities(curl, a->ca);
	}
}

/* ---- what it means ---- */

static bool is_tls_record(const char *bytes, size_t n)
{
	return n >= 3 && bytes[0] >= 0x14 && bytes[0] <= 0x17 && bytes[1] == 3;
}

/* nginx, Go, Apache. */
static bool wants_https(const struct said *s, long status)
{
	static const char *const words[] = {"plain HTTP request was sent to HTTPS port",
		"HTTP request to an HTTPS server", "speaking plain HTTP to an SSL-enabled server"};

	for (size_t i = 0; status == 400 && i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(s->bytes, words[i]))
			return true;
	return false;
}

/* CURLINFO_CONNECT_TIME_T stays 0 while the TLS handshake is under way. */
static bool is_connected(CURL *curl, const struct said *s)
{
	curl_off_t us = 0;
	if (s->spoke)
		return true;
	return curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &us) == CURLE_OK && us > 0;
}

static enum fact_l7_outcome judge_silence(CURL *curl, CURLcode code, const struct said *s)
{
	if (!is_connected(curl, s))
		return L7_NOT_CONNECTED;
	return code == CURLE_OPERATION_TIMEDOUT ? L7_SILENT : L7_CLOSED;
}

static enum fact_l7_outcome judge_http(CURL *curl, CURLcode code, const struct said *s, long status)
{
	if (status > 0)
		return wants_https(s, status) ? L7_HTTPS_WANTED : L7_OK;
	if (is_tls_record(s->bytes, s->n))
		return L7_TLS_SPOKEN;
	return s->n ? L7_GARBAGE : judge_silence(curl, code, s);
}

static enum fact_l7_outcome judge_tls(CURL *curl, CURLcode code, const struct said *s, long status)
{
	bool answered = s->n_record > 0;

	if (status > 0)
		return L7_OK;
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return L7_CERTIFICATE;
	if (code == CURLE_SSL_CACERT_BADFILE)
		return L7_NOT_CONNECTED; /* ours, and nothing was said */
	if (s->alert >= 0)
		return L7_ALERT;
	if (answered && !memcmp(s->record, "HTTP/", sizeof(s->record)))
		return L7_PLAIN_SPOKEN;
	if (answered && !is_tls_record(s->record, s->n_record))
		return L7_GARBAGE;
	return judge_silence(curl, code, s);
}

static int64_t first_byte(CURL *curl)
{
	curl_off_t sent = 0, first = 0;

	if (curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &sent) != CURLE_OK ||
		curl_easy_getinfo(curl, CURLINFO_STARTTRANSFER_TIME_T, &first) != CURLE_OK ||
		first <= sent)
		return -1;
	return first - sent;
}

static enum fact_l7_outcome converse(const struct ask *a, bool tls, struct evidence *out)
{
	struct said said = {.alert = -1};
	long status = 0;
	CURL *curl = curl_easy_init();

	if (!curl)
		out_of_memory();
	struct curl_slist *names = set_url(curl, a, tls);
	set_place(curl, a);
	set_answer(curl, a, tls, &said);
	CURLcode code = curl_easy_perform(curl);
	/* 9 is how HTTP/0.9, which is no HTTP, is told. */
	long version = 0;
	if (curl_easy_getinfo(curl, CURLINFO_HTTP_VERSION, &version) == CURLE_OK &&
		version >= CURL_HTTP_VERSION_1_0)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	struct fact_l7 *f = &evidence_add(out, FACT_L7)->l7;
	f->ask = tls ? L7_TLS : L7_HTTP;
	f->outcome = tls ? judge_tls(curl, code, &said, status)
			 : judge_http(curl, code, &said, status);
	f->status = status > 0 ? status : -1;
	f->alert = said.alert;
	f->first_byte_us = first_byte(curl);
	if (f->outcome != L7_OK)
		snprintf(f->text, sizeof(f->text), "%.*s", (int)sizeof(f->text) - 1,
			said.error[0] ? said.error : curl_easy_strerror(code));
	enum fact_l7_outcome outcome = f->outcome;
	curl_easy_cleanup(curl);
	curl_slist_free_all(names);
	return outcome;
}

/* Would the other language be understood? */
static bool is_doubtful(enum fact_l7_outcome outcome)
{
	return outcome == L7_CLOSED || outcome == L7_GARBAGE || outcome == L7_TLS_SPOKEN ||
	       outcome == L7_PLAIN_SPOKEN || outcome == L7_HTTPS_WANTED;
}

void ask_service(const struct ask *a, struct evidence *out)
{
	struct ask again = *a;

	again.timeout_us = a->timeout_us < AGAIN_US ? a->timeout_us : AGAIN_US;
	if (is_doubtful(converse(a, a->tls, out)))
		(void)converse(&again, !a->tls, out);
}
