import { createDigest, type Digest, parseChallenges } from "./digest.ts";

export interface WebdavLogin {
  readonly user?: string;
  readonly password?: string;
  readonly bearerToken?: string;
}

/** Adds the login to requests, in the way the server asks for it. */
export interface Auth {
  /** Header value; undefined: nothing to add (yet). */
  authorize(method: string, uri: string): string | undefined;
  /**
   * The server answered 401 (or hides things from strangers): whether the same request may do better now. `sent`: what the
   * refused request had carried.
   */
  learn(status: number, challenge: string | undefined, sent: string | undefined): boolean;
  /** For messages, which settings were used; empty: none. */
  readonly settings: readonly string[];
}

/**
 * A password is sent as it is (Basic) only where the connection is encrypted, or once the server has asked for just that:
 * to a server with Digest it must not go.
 */
export function createAuth(login: WebdavLogin, isEncrypted: boolean): Auth {
  const { user, password, bearerToken } = login;
  if (bearerToken !== undefined)
    return { authorize: () => `Bearer ${bearerToken}`, learn: () => false, settings: ["WEBDAV_BEARER_TOKEN"] };
  if (user === undefined || password === undefined)
    return { authorize: () => undefined, learn: () => false, settings: [] };

  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  let digest: Digest | undefined;
  let usesBasic = isEncrypted;
  let wasAsked = false;
  return {
    settings: ["WEBDAV_USERNAME", "WEBDAV_PASSWORD"],
    authorize: (method, uri) => digest?.authorize(method, uri) ?? (usesBasic ? basic : undefined),
    learn(status, header, sent) {
      if (status !== 401) {
        // Some servers say "not found" or "forbidden" to strangers without asking who they are.
        if (wasAsked || sent !== undefined || digest !== undefined) return false;
        usesBasic = true;
        return true;
      }
      wasAsked = true;
      const challenges = parseChallenges(header ?? "");
      const offersDigest = challenges.some(({ scheme }) => scheme === "digest");
      const isStale = challenges.some(({ parameters }) => parameters["stale"]?.toLowerCase() === "true");
      // Refused with an answer to just this kind of challenge: the login is wrong, unless its nonce was too old.
      if (
        sent !== undefined &&
        (sent.startsWith("Digest") ? !isStale && !isOtherNonce(sent, challenges) : !offersDigest)
      )
        return false;
      if (offersDigest) {
        const next = createDigest(challenges, user, password);
        if (next !== undefined) {
          digest = next;
          usesBasic = false;
          return true;
        }
      }
      if (sent === undefined && challenges.some(({ scheme }) => scheme === "basic")) {
        usesBasic = true;
        return true;
      }
      return false;
    },
  };
}

/**
 * Servers that forget to say `stale` still come with another nonce; a wrong password is found out by the second refusal.
 * The oldest form of Digest counts nothing, so its nonces may always be used up.
 */
function isOtherNonce(sent: string, challenges: ReturnType<typeof parseChallenges>): boolean {
  const count = /nc=([0-9a-f]{8})/.exec(sent)?.[1];
  const isReused = count !== "00000001";
  return isReused && !challenges.some(({ parameters }) => sent.includes(`nonce="${parameters["nonce"] ?? ""}"`));
}
