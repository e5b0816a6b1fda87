// SPDX-License-Identifier: Apache-2.0
//
// Calls a private service through Cloudflare Mesh and tells what came of it:
//
//	GET /?url=http://10.0.1.50:3000/	Authorization: Bearer TOKEN
//	{"url": …, "status": 200, "body": "100.64.12.189\n", "error": null, "ms": 4}
//
// status is null when env.MESH.fetch() threw; error is then what it threw, word for word. Nothing
// is retried and no time limit is added: what a caller of MESH meets is what is shown.

// Bodies longer than this are read to their end, but not repeated.
const BODY_SHOWN = 2048;

// Whoever may call this Worker reaches the private network: without a secret nobody may.
function isAllowed(request, env) {
	if (!env.TOKEN) {
		return false;
	}
	const text = new TextEncoder();
	const given = text.encode(request.headers.get("Authorization") ?? "");
	const wanted = text.encode(`Bearer ${env.TOKEN}`);
	return given.length === wanted.length && crypto.subtle.timingSafeEqual(given, wanted);
}

async function readBody(response) {
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

async function call(mesh, url) {
	const result = { url, status: null, body: null, error: null, ms: 0 };
	const begin = Date.now();
	try {
		const response = await mesh.fetch(url, { redirect: "manual" });
		result.status = response.status;
		result.body = await readBody(response);
	} catch (error) {
		result.error = `${error.name}: ${error.message}`;
	}
	result.ms = Date.now() - begin;
	return result;
}

export default {
	async fetch(request, env) {
		if (!isAllowed(request, env)) {
			return new Response("send Authorization: Bearer, and set the secret TOKEN\n", {
				status: 401,
			});
		}
		const url = new URL(request.url).searchParams.get("url");
		if (!url) {
			return new Response("usage: /?url=http://10.0.1.50:3000/\n", { status: 400 });
		}
		return Response.json(await call(env.MESH, url));
	},
};
