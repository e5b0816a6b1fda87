// SPDX-License-Identifier: Apache-2.0
//
// A network of functions in the place of env.MESH.

import { vi } from "vitest";
import type { Network } from "../src/mesh.ts";

type Answer = (request: Request) => Response | Promise<Response>;

export const SERVICE = "http://10.0.1.50:3000";
export const GW1 = "http://100.96.0.11";
export const GW2 = "http://100.96.0.12";

/** Hosts by origin, and all requests that came. */
export function network(hosts: Record<string, Answer>): Network & { asked: Request[] } {
	const asked: Request[] = [];
	return {
		asked,
		fetch: async (request) => {
			asked.push(request);
			const host = hosts[new URL(request.url).origin];
			if (!host) {
				throw new Error("handshake timeout");
			}
			return host(request);
		},
	};
}

/** What a gateway answers to a question. */
export function verdict(fields: Record<string, unknown> = {}): Answer {
	return () =>
		Response.json({
			id: "01JD3V5N8W",
			code: "service-port-closed",
			title: "The service's host answers that nothing listens on the port.",
			summary: "10.0.1.50 answers that nothing listens on port 3000.",
			confidence: "certain",
			evidence: [{ source: "probe", says: "RST", command: "nc 10.0.1.50 3000" }],
			fix: { text: "Start the service." },
			...fields,
		});
}

export const silent: Answer = () => new Promise<never>(() => {});

/** A body of which nobody may read more than a few chunks; how many were. */
export function endless(): { body: ReadableStream<Uint8Array>; pulled: () => number } {
	const pull = vi.fn((controller: ReadableStreamDefaultController<Uint8Array>) =>
		controller.enqueue(new Uint8Array(32768).fill(0x61)),
	);
	return { body: new ReadableStream({ pull }), pulled: () => pull.mock.calls.length };
}
