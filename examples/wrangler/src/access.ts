// SPDX-License-Identifier: Apache-2.0
//
// Who may call a Worker that reaches the private network. Nobody, unless a secret is set or
// Cloudflare Access stands in front of it.

import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from "jose";

/** In a time that depends on neither text: digests are compared, and to their end. */
async function isEqual(a: string, b: string): Promise<boolean> {
	const [x, y] = await Promise.all(
		[a, b].map(async (text) => {
			const bytes = new TextEncoder().encode(text);
			return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
		}),
	);
	return x!.reduce((difference, byte, i) => difference | (byte ^ y![i]!), 0) === 0;
}

/** `Authorization: Bearer SECRET`; without a secret nobody is allowed. */
export async function hasToken(request: Request, secret: string | undefined): Promise<boolean> {
	const given = /^Bearer +(\S+)$/i.exec(request.headers.get("Authorization") ?? "")?.[1];
	return secret !== undefined && secret !== "" && isEqual(given ?? "", secret);
}

export interface AccessApplication {
	/** "https://TEAM.cloudflareaccess.com" */
	team: string;
	/** The application's audience tag. */
	audience: string;
}

const keysOfTeams = new Map<string, JWTVerifyGetKey>();

function keysOf(team: string): JWTVerifyGetKey {
	let keys = keysOfTeams.get(team);
	if (!keys) {
		keys = createRemoteJWKSet(new URL("/cdn-cgi/access/certs", team));
		keysOfTeams.set(team, keys);
	}
	return keys;
}

/**
 * Whether Cloudflare Access let the request pass, for this application. Access puts its header
 * only on what passes through it: by another name of the Worker (workers.dev) anybody could send
 * one, and therefore the signature is what counts.
 */
export async function passedAccess(
	request: Request,
	{ team, audience }: AccessApplication,
): Promise<boolean> {
	const token = request.headers.get("Cf-Access-Jwt-Assertion");
	if (!token || !team || !audience) {
		return false;
	}
	try {
		await jwtVerify(token, keysOf(team), {
			issuer: team,
			audience,
			algorithms: ["RS256"],
			requiredClaims: ["exp"],
		});
		return true;
	} catch (error) {
		if (error instanceof errors.JOSEError) {
			return false;
		}
		throw error;
	}
}
