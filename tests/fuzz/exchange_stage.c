/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange_stage.h"
#include "lib/json.h"
#include "lib/own.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct exchange_stage stage;
static char folder[32], path[64];

static const char config_text[] =
	"{\"node\":\"gw1\",\"limits\":{\"headBytes\":4096},\"routes\":["
	"{\"host\":\"*\",\"upstreams\":[{\"scheme\":\"unix\",\"unix\":\"%1$s\"}],"
	"\"timeouts\":{\"firstByteMs\":5000,\"idleMs\":5000},"
	"\"sources\":[\"10.0.0.0/8\"],\"requestHeaders\":{\"set\":[[\"X-A\",\"b\"]]}},"
	"{\"host\":\"*\",\"path\":\"/strip\",\"stripPrefix\":true,\"timeouts\":{\"firstByteMs\":5000},\"maxBody\":1000,\"retries\":%2$u,"
	"\"upstreams\":[{\"scheme\":\"unix\",\"unix\":\"%1$s\"}],\"sources\":[\"10.0.0.0/8\"]},"
	"{\"host\":\"*\",\"path\":\"/proxy\",\"proxyProtocol\":true,"
	"\"upstreams\":[{\"scheme\":\"unix\",\"unix\":\"%1$s\"}],\"sources\":[\"10.0.0.0/8\"]},"
	"{\"host\":\"*\",\"path\":\"/token\",\"tokens\":[\"0123456789abcdef\"],"
	"\"upstreams\":[{\"scheme\":\"unix\",\"unix\":\"%1$s\"}],\"sources\":[\"10.0.0.0/8\"]},"
	"{\"host\":\"*\",\"path\":\"/closed\",\"sources\":[],"
	"\"upstreams\":[{\"scheme\":\"unix\",\"unix\":\"%1$s\"}]}]}";

static const struct bridge_config *make_config(unsigned retries)
{
	char text[sizeof(config_text) + 5 * sizeof(path)];
	autojson sd_json_variant *json = nullptr;
	const struct bridge_config *config;
	struct err err = {};

	snprintf(text, sizeof(text), config_text, path, retries);
	assert(sd_json_parse(text, 0, &json, nullptr, nullptr) >= 0);
	if (bridge_config_from_json(json, &config, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	return config;
}

static void strike_stage(void)
{
	unlink(path);
	rmdir(folder);
	for (unsigned i = 0; i < 2; i++)
		bridge_config_unref(stage.configs[i]);
}

const struct exchange_stage *exchange_stage(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (stage.configs[0])
		return &stage;
	snprintf(folder, sizeof(folder), "/tmp/meshgw-fuzz-XXXXXX");
	assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	memcpy(at.sun_path, path, sizeof(path));
	stage.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert(bind(stage.listener, (struct sockaddr *)&at, sizeof(at)) == 0);
	assert(listen(stage.listener, 64) == 0);
	stage.configs[0] = make_config(0);
	stage.configs[1] = make_config(2);
	atexit(strike_stage);
	return &stage;
}
