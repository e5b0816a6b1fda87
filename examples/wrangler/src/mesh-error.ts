// SPDX-License-Identifier: Apache-2.0
//
// MeshError: why a call through Cloudflare Mesh got no answer of the service's.
//
// It is made for the operators of the network: message, cause, remedy, target and raw hold
// addresses of it. publicForm() is what a stranger may see.

/** How sure the gateway is of its verdict. */
export const CONFIDENCES = ["certain", "likely", "undetermined", "inconclusive"] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/** What came instead of an answer, unchanged. */
export type Raw =
	/** env.MESH.fetch() threw. */
	| { kind: "thrown"; status: null; text: string }
	/** Cloudflare answered in the service's place: status 500, "ProxyError: …". */
	| { kind: "proxy-error"; status: number; text: string }
	/** A gateway answered in the service's place: Proxy-Status and a problem body. */
	| { kind: "proxy-status"; status: number; text: string; field: string };

/** One question to a gateway that did not bring the cause to light, and why not. */
export interface Unanswered {
	gateway: string;
	why: string;
}

export interface MeshErrorFields {
	/** The gateway's verdict (meshgw-codes(7)): "service-port-closed". Where no gateway named
	 * a cause it is the same as `type`. */
	code: string;
	/** What was seen from here, in the words of RFC 9209: "connection_refused". */
	type: string;
	/** One sentence. */
	cause: string;
	/** What to do about it, if the gateway reveals that. */
	remedy: string | null;
	/** The gateway that said so; null if none did. */
	gateway: string | null;
	/** For `meshgw` on that gateway, and its log. */
	diagnosisId: string | null;
	confidence: Confidence | null;
	/** The codes that are still possible when it is not decided. */
	candidates: string[];
	/** Host and port that were called. */
	target: string;
	raw: Raw;
	unanswered: Unanswered[];
}

/** RFC 9457, for the world. */
export interface PublicForm {
	type: "about:blank";
	title: string;
	status: number;
	code: string;
	instance: string | null;
}

// 504 is for time that ran out, 503 for what may work again soon; all else is 502.
const STATUS = new Map<string, Pick<PublicForm, "status" | "title">>([
	...[
		"connection_timeout",
		"connection_read_timeout",
		"connection_write_timeout",
		"dns_timeout",
		"http_response_timeout",
	].map((type) => [type, { status: 504, title: "Gateway Timeout" }] as const),
	...["connection_limit_reached", "destination_unavailable"].map(
		(type) => [type, { status: 503, title: "Service Unavailable" }] as const,
	),
]);
const OTHERWISE = { status: 502, title: "Bad Gateway" };

export class MeshError extends Error implements MeshErrorFields {
	override readonly name = "MeshError";
	declare readonly cause: string;
	readonly code: string;
	readonly type: string;
	readonly remedy: string | null;
	readonly gateway: string | null;
	readonly diagnosisId: string | null;
	readonly confidence: Confidence | null;
	readonly candidates: string[];
	readonly target: string;
	readonly raw: Raw;
	readonly unanswered: Unanswered[];

	constructor(fields: MeshErrorFields) {
		super(`${fields.target}: ${fields.cause} (${fields.code})`, {
			cause: fields.cause,
		});
		this.code = fields.code;
		this.type = fields.type;
		this.remedy = fields.remedy;
		this.gateway = fields.gateway;
		this.diagnosisId = fields.diagnosisId;
		this.confidence = fields.confidence;
		this.candidates = fields.candidates;
		this.target = fields.target;
		this.raw = fields.raw;
		this.unanswered = fields.unanswered;
	}

	/** All of it, for a log that only operators read. */
	toJSON(): MeshErrorFields {
		const { code, type, cause, remedy, gateway, diagnosisId, confidence } = this;
		const { candidates, target, raw, unanswered } = this;
		const verdict = { code, type, cause, remedy, gateway, diagnosisId, confidence };
		return { ...verdict, candidates, target, raw, unanswered };
	}

	/** No addresses, no names, no remedy: a code, and the id under which operators find them. */
	publicForm(): PublicForm {
		return {
			type: "about:blank",
			...(STATUS.get(this.type) ?? OTHERWISE),
			code: this.code,
			instance: this.diagnosisId && `urn:meshgw:diagnosis:${this.diagnosisId}`,
		};
	}
}
