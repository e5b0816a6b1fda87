// SPDX-License-Identifier: Apache-2.0
//
// Calls a private service through Cloudflare Mesh and tells what came of it:
//
//	GET /?url=http://10.0.1.50:3000/	Authorization: Bearer TOKEN
//	{"url": …, "status": 200, "body": "100.64.12.189\n", "error": null, "why": null, "ms": 4}
//
// status is null when env.MESH.fetch() threw; error is then what it threw, word for word. why is
// the MeshError, when it was not the service that answered. Nothing is retried and no time limit is
// added: what a caller of MESH meets is what is shown.

import { hasToken } from "./access.ts";
import { Mesh, MeshError } from "./mesh.ts";

// Bodies longer than this are read to their end, but not repeated.
const BODY_SHOWN = 2048;

interface Result {
	url: string;
	status: number | null;
	body: string | null;
	error: string | null;
	why: MeshError | null;
	ms: number;
}

async function readBody(response: Response): Promise<string> {
	const decoder = new TextDecoder();
	let shown = "";
	let length = 0;
	for await (const chunk of response.body ?? []) {
		const room = Math.max(0, BODY_SHOWN - length);
		shown += decoder.decode(chunk.subarray(0, room), { stream: true });
		length += chunk.length;
	}
	return length > BODY_SHOWN ? `${shown}… (${length} bytes)` : shown + decoder.decode();
}

function showFailure(result: Result, why: MeshError): void {
	result.why = why;
	result.status = why.raw.status;
	if (why.raw.kind === "thrown") {
		result.error = why.raw.text;
	} else {
		result.body = why.raw.text;
	}
}

async function call(mesh: Mesh, url: string): Promise<Result> {
	const result: Result = { url, status: null, body: null, error: null, why: null, ms: 0 };
	const begin = Date.now();
	try {
		const response = await mesh.fetch(url, { redirect: "manual" });
		result.status = response.status;
		result.body = await readBody(response);
	} catch (error) {
		if (error instanceof MeshError) {
			showFailure(result, error);
		} else {
			result.error = String(error);
		}
	}
	result.ms = Date.now() - begin;
	return result;
}

export default {
	async fetch(request, env) {
		if (!(await hasToken(request, env.TOKEN))) {
			return new Response(
				"send Authorization: Bearer, and set the secret TOKEN\n",
				{
					status: 401,
				},
			);
		}
		const url = new URL(request.url).searchParams.get("url");
		if (!url) {
			return new Response("usage: /?url=http://10.0.1.50:3000/\n", {
				status: 400,
			});
		}
		const mesh = new Mesh(env.MESH, {
			gateways: env.GATEWAYS.match(/\S+/g) ?? [],
			token: env.GATEWAY_TOKEN,
		});
		return Response.json(await call(mesh, url));
	},
} satisfies ExportedHandler<Env & { GATEWAY_TOKEN?: string }>;
