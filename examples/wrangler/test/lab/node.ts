// SPDX-License-Identifier: Apache-2.0
//
// Commands in the nodes of the lab (tests/lab): gateways, services, the site's router.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const run = promisify(execFile);
const ENVIRONMENT = { ...process.env, PYTHONPATH: "/src/tests/lab", PYTHONDONTWRITEBYTECODE: "1" };

/** What a command prints; it must succeed. */
export async function inNode(node: string, ...command: string[]): Promise<string> {
	const args = ["-m", "lab", "exec", node, ...command];
	return (await run("python3", args, { env: ENVIRONMENT })).stdout;
}

/** A table of the packet filter's, as somebody else than meshgw would make it. */
export async function drop(node: string, hook: string, match: string): Promise<void> {
	const chain = `type filter hook ${hook} priority 0;`;
	const table = `table inet fault {\nchain c {\n${chain}\n${match} counter drop\n}\n}\n`;
	onTestFinished(async () => {
		await inNode(node, "nft", "delete table inet fault");
	});
	await inNode(node, "nft", table);
}
