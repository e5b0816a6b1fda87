/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_frr: what FRRouting would be told, without a daemon and without FRRouting. Passwords are not
 * read: a comment stands where one belongs.
 */
#include "cli/cli.h"
#include "cli/input.h"
#include "daemon/frr_model.h"
#include "frr/render.h"
#include "lib/own.h"
#include "lib/xmalloc.h"

/* A secret that nobody sees marks the place of one. */
static struct frr_secrets placeholders(size_t n)
{
	struct frr_secrets s = {.list = xcalloc(n, sizeof(*s.list)), .n = n};

	for (size_t i = 0; i < n; i++)
		s.list[i].text[0] = '*';
	return s;
}

static char *render(const struct config *config)
{
	struct frr_secrets secrets = placeholders(config->bgp.n_neighbors);
	struct frr_built built;
	struct frr_script script = {};

	frr_model_build(config, nullptr, &secrets, nullptr, &built);
	frr_render(&built.model, false, &script);
	char *text = frr_script_text(&script, false, nullptr);
	frr_script_clear(&script);
	frr_built_clear(&built);
	free(secrets.list);
	return text;
}

enum exit_status cmd_frr(struct cli *cli)
{
	struct input in;
	enum exit_status status = input_read(cli->argument, &in, &cli->failure);

	if (status == EXIT_DONE && !in.config->bgp.configured) {
		status = failure_set(&cli->failure, EXIT_REFUSED,
			"%s has no bgp: there is nothing to tell FRRouting", in.name);
	} else if (status == EXIT_DONE) {
		autofree char *text = render(in.config);
		cli->out->checked(&cli->view, in.name, text);
	}
	input_clear(&in);
	return status;
}
