// SPDX-License-Identifier: Apache-2.0
//
// A Worker of this folder in workerd, the runtime that Cloudflare runs. env.MESH is bound to the
// network that the test itself is in: the URL decides host and port, as with vpc_networks.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const run = promisify(execFile);
// The program itself: what node_modules/.bin has is a script around it.
const workerd = (createRequire(import.meta.url)("workerd") as { default: string }).default;

// Text in the syntax of Cap'n Proto, which escapes as JSON does.
const capnp = (text: string) => JSON.stringify(text);

function configOf(bindings: Record<string, string>): string {
	const texts = Object.entries(bindings).map(
		([name, text]) => `(name = ${capnp(name)}, text = ${capnp(text)}),`,
	);
	return `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "mesh", network = (allow = ["local", "private", "2001:db8::/32"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  globalOutbound = "mesh",
  bindings = [(name = "MESH", service = "mesh"), ${texts.join(" ")}],
);
`;
}

/** What would be deployed, by the configuration that says so; a folder. */
export async function bundle(config: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "bundle-"));
	const args = ["deploy", "--dry-run", "--outdir", folder, "--config", config];
	await run("node_modules/.bin/wrangler", args, {
		env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
	});
	return folder;
}

/** Runs a script until the test is over; the URL under which the Worker answers. */
export async function serve(script: string, bindings: Record<string, string>): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "workerd-"));
	onTestFinished(() => rm(folder, { recursive: true }));
	await writeFile(join(folder, "config.capnp"), configOf(bindings));
	await copyFile(script, join(folder, "worker.js"));
	const child = spawn(workerd, ["serve", "--control-fd=3", "config.capnp"], {
		cwd: folder,
		stdio: ["ignore", "ignore", "inherit", "pipe"],
	});
	onTestFinished(async () => {
		if (child.kill("SIGKILL")) {
			await once(child, "exit");
		}
	});
	for await (const line of createInterface(child.stdio[3] as Readable)) {
		const message = JSON.parse(line) as { event: string; port: number };
		if (message.event === "listen") {
			return `http://127.0.0.1:${message.port}/`;
		}
	}
	throw new Error("workerd did not start");
}
