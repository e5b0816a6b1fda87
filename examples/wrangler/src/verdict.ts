// SPDX-License-Identifier: Apache-2.0
//
// A gateway's verdict, in the two forms in which it comes: the problem body of an answer, and the
// answer to GET /.well-known/meshgw/diagnose. What comes from elsewhere is checked for its types
// and lengths; what is missing is null.

import { CONFIDENCES, type Confidence, type MeshErrorFields } from "./mesh-error.ts";
import { member, sentence, word } from "./read.ts";
import type { FailedProxy } from "./seen.ts";

export type Verdict = Pick<
	MeshErrorFields,
	"code" | "cause" | "remedy" | "gateway" | "diagnosisId" | "confidence" | "candidates"
>;

// Verdicts that name no cause.
const NO_CAUSE = new Set([
	"healthy",
	"recovered",
	"no-traffic-observed",
	"inconclusive",
	"insufficient-privilege",
	"observer-limited",
	"config-changed-during-analysis",
]);

function confidenceOf(value: unknown): Confidence | null {
	return CONFIDENCES.find((confidence) => confidence === value) ?? null;
}

// As many as meshgw names.
const CANDIDATES_MAX = 8;

function candidatesOf(value: unknown): string[] {
	const codes = Array.isArray(value) ? value.map(word) : [];
	return codes.filter((code) => code !== null).slice(0, CANDIDATES_MAX);
}

/** Text and commands of a remedy as one line. */
function remedyOf(value: unknown): string | null {
	const text = sentence(value) ?? sentence(member(value, "text"));
	const commands = member(value, "commands");
	const run = Array.isArray(commands) ? commands.map(sentence).filter((c) => c !== null) : [];
	return text && run.length > 0 ? `${text} Run: ${run.join("; ")}` : text;
}

// What `details` repeats, since an answer to HEAD has no body.
const DETAILS = /^([a-z0-9-]+)(?:; fault=[\w-]+)?(?:; diag=([\w.-]+))?$/;

export function verdictOfProblem(problem: unknown, proxy: FailedProxy): Verdict {
	const [, code, id] = DETAILS.exec(proxy.details ?? "") ?? [];
	return {
		code: word(member(problem, "code")) ?? word(code) ?? proxy.error,
		cause:
			sentence(member(problem, "detail")) ??
			sentence(member(problem, "title")) ??
			`${proxy.proxy} answers ${proxy.error}`,
		remedy: remedyOf(member(problem, "fix")),
		gateway: sentence(proxy.proxy),
		diagnosisId: word(member(problem, "instance")) ?? word(id),
		confidence: confidenceOf(member(problem, "confidence")),
		candidates: candidatesOf(member(problem, "candidates")),
	};
}

/** null: it is no verdict. */
export function verdictOfAnswer(answer: unknown, gateway: string): Verdict | null {
	const code = word(member(answer, "code"));
	if (!code) {
		return null;
	}
	return {
		code,
		cause:
			sentence(member(answer, "summary")) ??
			sentence(member(answer, "title")) ??
			code,
		remedy: remedyOf(member(answer, "fix") ?? member(answer, "remedy")),
		gateway,
		diagnosisId: word(member(answer, "id")),
		confidence: confidenceOf(member(answer, "confidence")),
		candidates: candidatesOf(member(answer, "candidates")),
	};
}

export function namesCause(verdict: Verdict): boolean {
	return !NO_CAUSE.has(verdict.code);
}

/** Of several gateways' verdicts the one to believe; null if there are none. */
export function surest(verdicts: readonly Verdict[]): Verdict | null {
	const rank = ({ confidence }: Verdict) =>
		confidence ? CONFIDENCES.indexOf(confidence) : CONFIDENCES.length;
	return verdicts.toSorted((a, b) => rank(a) - rank(b))[0] ?? null;
}
