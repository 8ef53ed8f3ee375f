import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { DestinationError } from "../../lib/errors.ts";
import { createRedactor, maskUserInfo } from "../../lib/redact.ts";
import { CONNECT_MS, IDLE_MS } from "../limits.ts";
import { throughProxy } from "../proxy.ts";
import { tlsOptions } from "../tls.ts";
import { createAddress } from "./address.ts";
import { createAuth } from "./auth.ts";
import { createDigest, parseChallenges } from "./digest.ts";
import { meaningOf, retryAfterMs, toWebdavError } from "./errors.ts";
import { type Answer, exchange, type HttpLimits, readAnswer, type SendRequest, type Upload } from "./http.ts";
import type { WebdavOptions } from "./options.ts";
import { basePathOf, type DavPath } from "./paths.ts";

/** What a server may do with a large body between its last byte and its answer: check it, copy it, move it. */
const AFTER_BODY_MS = 180_000;
const MOST_REDIRECTS = 5;
const MOST_LOGINS = 3;
const SHOWN_TEXT_BYTES = 2_000;

export interface DavRequest {
  readonly method: string;
  /** Encoded, from the server's root. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | Upload;
  readonly signal: AbortSignal;
  /** For messages: `cannot store x in …` */
  readonly attempt: string;
}

export interface TextAnswer {
  readonly status: number;
  readonly text: string;
  readonly contentType: string;
  /** The request's body was sent to its end. */
  readonly isComplete: boolean;
  readonly sentBytes: number;
  /** The error that this answer is, where it is one. */
  refusal(): DestinationError;
}

export interface DavClient {
  readonly base: DavPath;
  /** Where a path really is, after redirects. */
  urlOf(path: string): URL;
  readonly idleMs: number;
  /** Rejects with a `DestinationError` where there is no answer; every answer that is no redirect or login is given. */
  text(request: DavRequest, mostBytes?: number): Promise<TextAnswer>;
  /** The same, with the answer's body still to be read (`readAnswer`) or discarded. */
  open(request: DavRequest): Promise<{ readonly answer: Answer; refusal(): Promise<DestinationError> }>;
  close(): void;
}

export function createDavClient(options: WebdavOptions): DavClient {
  const url = new URL(options.url);
  const login = loginOf(options, url);
  const auth = createAuth(login, url.protocol === "https:");
  const limits: HttpLimits = {
    connectMs: options.limits?.connectMs ?? CONNECT_MS,
    idleMs: options.limits?.idleMs ?? IDLE_MS,
    answerMs: options.limits?.answerMs ?? AFTER_BODY_MS,
  };
  const agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: 16, ...throughProxy(url) }),
    https: new HttpsAgent({
      keepAlive: true,
      maxSockets: 16,
      ...throughProxy(url),
      ...tlsOptions({
        isInsecure: options.isInsecure === true,
        ...(options.caCertificate === undefined ? {} : { caCertificate: options.caCertificate }),
      }),
    }),
  };
  const redact = createRedactor([login.password, login.bearerToken].filter((secret) => secret !== undefined));
  const send: SendRequest = (target, requestOptions) =>
    target.protocol === "https:"
      ? httpsRequest(target, { ...requestOptions, agent: agents.https })
      : httpRequest(target, { ...requestOptions, agent: agents.http });
  let address = createAddress(url.origin);
  let isUnasked = false;

  const once = async (request: DavRequest, target: URL, authorization: string | undefined): Promise<Answer> => {
    const { body, signal, attempt } = request;
    const isUpload = body !== undefined && !Buffer.isBuffer(body);
    try {
      return await exchange(send, {
        method: request.method,
        url: target,
        headers: {
          "User-Agent": "lifeboat",
          // What is stored comes as it is.
          "Accept-Encoding": "identity",
          ...request.headers,
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
        // With `Expect`, Node.js encodes a name that is not ASCII a second time.
        ...(body === undefined ? {} : { body, isUnasked: isUnasked || !/^[ -~]*$/.test(authorization ?? "") }),
        signal,
        limits: isUpload ? limits : { ...limits, answerMs: limits.idleMs },
      });
    } catch (error) {
      throw signal.aborted ? error : toWebdavError(error, attempt);
    }
  };

  const perform = async (request: DavRequest): Promise<Answer> => {
    let target = address.of(request.path);
    let redirects = 0;
    let logins = 0;
    while (true) {
      const authorization = auth.authorize(request.method, `${target.pathname}${target.search}`);
      const answer = await once(request, target, authorization);
      const { status, message } = answer;
      if (status === 417 && !isUnasked) {
        isUnasked = true;
        answer.discard();
        continue;
      }
      if (status === 401 || ((status === 403 || status === 404) && authorization === undefined)) {
        if (!auth.learn(status, message.headers["www-authenticate"], authorization) || (logins += 1) > MOST_LOGINS)
          return answer;
        await drain(answer, limits.idleMs, request.signal);
        continue;
      }
      const next = redirectOf(answer, target, request);
      if (next === undefined) return answer;
      answer.discard();
      if ((redirects += 1) > MOST_REDIRECTS)
        throw new DestinationError("invalid", `${request.attempt}: the server redirects in a circle`, {
          hint: "check WEBDAV_URL",
        });
      address = address.moved(target, next);
      target = next;
    }
  };

  const refusalOf = (request: DavRequest, answer: Answer, text: string): DestinationError => {
    const { status, message } = answer;
    const { code, hint: usualHint } = meaningOf(status);
    const hint = status === 401 ? loginHint(auth.settings, message.headers["www-authenticate"]) : usualHint;
    const asked = code === "unavailable" ? retryAfterMs(message.headers["retry-after"]) : undefined;
    // Redacted before it is cut.
    const shown = plainText(redact(text));
    const line = `${request.attempt}: HTTP ${status} ${message.statusMessage ?? ""}`.trimEnd();
    return new DestinationError(code, redact(shown === "" ? line : `${line}: ${shown}`), {
      ...(hint === undefined ? {} : { hint }),
      ...(asked === undefined ? {} : { retryAfterMs: asked }),
    });
  };

  return {
    base: basePathOf(url),
    urlOf: (path) => address.of(path),
    idleMs: limits.idleMs,
    async text(request, mostBytes = SHOWN_TEXT_BYTES) {
      const answer = await perform(request);
      const text = await readText(answer, mostBytes, limits.idleMs, request);
      return {
        status: answer.status,
        text,
        contentType: answer.message.headers["content-type"] ?? "",
        isComplete: answer.isComplete,
        sentBytes: answer.sentBytes,
        refusal: () => refusalOf(request, answer, text),
      };
    },
    async open(request) {
      const answer = await perform(request);
      return {
        answer,
        refusal: async () =>
          refusalOf(request, answer, await readText(answer, SHOWN_TEXT_BYTES, limits.idleMs, request)),
      };
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function loginOf({ login }: WebdavOptions, url: URL): WebdavOptions["login"] {
  if (login.user !== undefined || login.bearerToken !== undefined || url.username === "") return login;
  return { user: decoded(url.username), password: decoded(url.password) };
}

/** A percent sign that begins no code stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Where to go on; only to the same host, and never from encrypted to plain: the login goes along. */
function redirectOf({ status, message }: Answer, from: URL, { attempt, method }: DavRequest): URL | undefined {
  const { location } = message.headers;
  if (![301, 302, 307, 308].includes(status) || location === undefined) return undefined;
  // A folder that is there already, with its slash: no other place.
  if (method === "MKCOL") return undefined;
  const next = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (
    next !== undefined &&
    next.hostname === from.hostname &&
    !(from.protocol === "https:" && next.protocol === "http:")
  )
    return next;
  throw new DestinationError("invalid", `${attempt}: the server redirects to ${maskUserInfo(location).slice(0, 200)}`, {
    hint: "set WEBDAV_URL to the address that is really meant",
  });
}

function loginHint(settings: readonly string[], challenge: string | undefined): string {
  if (settings.length === 0)
    return "the server wants a login: set WEBDAV_USERNAME and WEBDAV_PASSWORD, or WEBDAV_BEARER_TOKEN";
  const offered = (challenge ?? "").split(/[\s,]/)[0];
  const challenges = parseChallenges(challenge ?? "");
  const isKnown =
    challenge === undefined ||
    challenges.some(({ scheme }) => scheme === "basic" || scheme === "bearer") ||
    createDigest(challenges, "", "") !== undefined;
  return isKnown
    ? `check ${settings.join(" and ")}`
    : `the server wants a login of the kind ${offered ?? "?"}; Basic, Digest (auth) and Bearer are supported`;
}

/** Text of an answer, at most so much of it; the rest is not waited for. */
async function readText(answer: Answer, mostBytes: number, idleMs: number, request: DavRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  try {
    for await (const chunk of readAnswer(answer, idleMs, request.signal)) {
      chunks.push(chunk);
      total += chunk.byteLength;
      if (total > mostBytes) break;
    }
  } catch (error) {
    if (request.signal.aborted) throw error;
    // Half of a refusal's text is enough; half of a listing is not.
    if (answer.status < 300) throw toWebdavError(error, request.attempt);
  } finally {
    answer.discard();
  }
  if (total > mostBytes && answer.status < 300)
    throw new DestinationError("invalid", `${request.attempt}: the answer is larger than ${mostBytes} bytes`);
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
}

/** So that the connection can be used again. */
async function drain(answer: Answer, idleMs: number, signal: AbortSignal): Promise<void> {
  try {
    let total = 0;
    for await (const chunk of readAnswer(answer, idleMs, signal)) if ((total += chunk.byteLength) > 64 * 1024) break;
  } catch (error) {
    if (signal.aborted) throw error;
  } finally {
    answer.discard();
  }
}

/** What a person would see of an error page. */
function plainText(text: string): string {
  const plain = text
    .replaceAll(/<(style|script|title)\b[\s\S]*?<\/\1>/gi, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain;
}
