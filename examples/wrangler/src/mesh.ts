// SPDX-License-Identifier: Apache-2.0
//
// Mesh wraps a binding of vpc_networks. Its fetch() returns what the service answered, and nothing
// else; what fails between the Worker and the service is thrown as one MeshError, in whichever of
// three forms it comes:
//
//	env.MESH.fetch() throws				"handshake timeout"
//	Cloudflare answers in the service's place	500, "ProxyError: connection_refused"
//	a gateway does					502, Proxy-Status and a problem body
//
// The last says why. For the other two the gateways are asked, if there are any in the options
// (GET /.well-known/meshgw/diagnose): once, for a bounded time, and whatever comes of it, the error
// tells of the call that failed. No call is repeated.

import { MeshError, type Raw, type Unanswered } from "./mesh-error.ts";
import { parseJson, readText, sentence, untilAborted } from "./read.ts";
import {
	seenFailedProxy,
	seenProxyError,
	textOfThrown,
	typeOfThrown,
	type FailedProxy,
} from "./seen.ts";
import { namesCause, surest, verdictOfAnswer, verdictOfProblem, type Verdict } from "./verdict.ts";

export { MeshError };

/** The part of a binding that is used. */
export interface Network {
	fetch(request: Request): Promise<Response>;
}

export interface MeshOptions {
	/** Gateways to ask, "http://100.96.0.11". */
	gateways?: readonly string[];
	/** Of the gateways' diagnose.token_files: who has it may ask them to try the service
	 * themselves. Without it they tell what they have seen. */
	token?: string | undefined;
	/** For all questions about one failure together; 8000 with a token, without one 4000. */
	askMs?: number;
}

// A gateway that only looks takes no longer than 2 s, one that tries 6 s.
const ASK_MS = 4000;
const ASK_TO_TRY_MS = 8000;
// For the rest of an answer whose head says that something failed.
const BODY_MS = 1000;
const BODY_MAX = 65536;

export class Mesh {
	readonly #network: Network;
	readonly #gateways: readonly string[];
	readonly #token: string | undefined;
	readonly #askMs: number;

	constructor(network: Network, options: MeshOptions = {}) {
		this.#network = network;
		this.#gateways = options.gateways ?? [];
		this.#token = options.token;
		this.#askMs = options.askMs ?? (options.token ? ASK_TO_TRY_MS : ASK_MS);
	}

	/**
	 * As env.MESH.fetch(): the service's answer, whatever its status. Throws MeshError when there
	 * is none; what the caller aborted, and what is no request, is thrown as it is. A body that
	 * breaks off later is its reader's to notice, and explain()'s to explain.
	 */
	async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
		const request = new Request(input, init);
		const signal = init?.signal ?? (input instanceof Request ? input.signal : null);
		let response: Response;
		try {
			response = await this.#network.fetch(request);
		} catch (thrown) {
			throw isAborted(signal)
				? thrown
				: await this.explain(thrown, request.url, signal);
		}

		const url = new URL(response.url || request.url);
		const proxy = seenFailedProxy(response);
		if (proxy) {
			throw await answered(response, proxy, url);
		}
		const error = await seenProxyError(response);
		if (error) {
			void response.body?.cancel().catch(() => {});
			const raw: Raw = { kind: "proxy-error", status: 500, text: error.text };
			throw await this.#asked(raw, error.type, url, signal);
		}
		return response;
	}

	/** Why a call of this URL, or the reading of its answer, threw this. */
	async explain(
		thrown: unknown,
		url: string | URL,
		signal: AbortSignal | null = null,
	): Promise<MeshError> {
		const raw: Raw = { kind: "thrown", status: null, text: textOfThrown(thrown) };
		return this.#asked(raw, typeOfThrown(thrown), new URL(url), signal);
	}

	/** What failed is known, and why is for the gateways to say. */
	async #asked(
		raw: Raw,
		type: string,
		url: URL,
		signal: AbortSignal | null,
	): Promise<MeshError> {
		const target = targetOf(url);
		const [verdict, unanswered] = await this.#ask(target, signal);
		const seen: Verdict = {
			code: type,
			cause: `no answer of the service: ${sentence(raw.text)}`,
			remedy: null,
			gateway: null,
			diagnosisId: null,
			confidence: null,
			candidates: [],
		};
		return new MeshError({ ...(verdict ?? seen), type, target, raw, unanswered });
	}

	/** All gateways at once: the best verdict, and why the others have none. */
	async #ask(
		target: string,
		signal: AbortSignal | null,
	): Promise<[Verdict | null, Unanswered[]]> {
		const limit = AbortSignal.timeout(this.#askMs);
		const until = signal && !signal.aborted ? AbortSignal.any([limit, signal]) : limit;
		const answers = await Promise.all(
			this.#gateways.map((gateway) =>
				this.#question(gateway, target, until).catch((error: unknown) => ({
					gateway,
					why: sentence(textOfThrown(error)) ?? "no answer",
				})),
			),
		);
		const verdicts = answers.filter((answer) => "code" in answer);
		return [surest(verdicts), answers.filter((answer) => "why" in answer)];
	}

	async #question(
		gateway: string,
		target: string,
		signal: AbortSignal,
	): Promise<Verdict | Unanswered> {
		const url = new URL("/.well-known/meshgw/diagnose", gateway);
		url.searchParams.set("target", target);
		const headers = new Headers({ Accept: "application/json" });
		if (this.#token) {
			headers.set("Authorization", `Bearer ${this.#token}`);
		}
		const request = new Request(url, { headers, redirect: "manual", signal });
		const response = await untilAborted(this.#network.fetch(request), signal);
		const answer = parseJson(await readText(response, BODY_MAX, signal));
		if (response.status !== 200) {
			return { gateway, why: `it answers ${response.status}` };
		}
		const verdict = verdictOfAnswer(answer, gateway);
		if (!verdict) {
			return { gateway, why: "its answer is no verdict" };
		}
		return namesCause(verdict)
			? verdict
			: { gateway, why: `${verdict.code}: ${verdict.cause}` };
	}
}

/** What failed, as the gateway says that made the answer. */
async function answered(response: Response, proxy: FailedProxy, url: URL): Promise<MeshError> {
	const text = await readText(response, BODY_MAX, AbortSignal.timeout(BODY_MS));
	return new MeshError({
		...verdictOfProblem(parseJson(text), proxy),
		type: proxy.error,
		target: targetOf(url),
		raw: {
			kind: "proxy-status",
			status: response.status,
			text: text ?? "",
			field: proxy.field,
		},
		unanswered: [],
	});
}

/** The address that is called, as gateways write it. */
function targetOf(url: URL): string {
	return `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`;
}

// The caller's own decision. A time limit is none: who set it wants to know why it was reached.
function isAborted(signal: AbortSignal | null): boolean {
	return signal?.aborted === true && (signal.reason as Error | null)?.name !== "TimeoutError";
}
