import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { pipeline } from "node:stream/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../../src/lib/clock.ts";
import { ApiError } from "./dropbox-fake-errors.ts";
import { type Route, ROUTES } from "./dropbox-fake-routes.ts";
import { FakeStore } from "./dropbox-fake-store.ts";

/*
 * A fake of the parts of Dropbox that Lifeboat calls, written from Dropbox's public API documentation: nothing that looks
 * like Dropbox can be installed. It keeps real files, checks what the documentation says is checked, and breaks on request.
 */

export const FAKE_APP_KEY = "fake-app-key";
export const FAKE_APP_SECRET = "fake-app-secret";
export const FAKE_REFRESH_TOKEN = "fake-refresh-token";

const ALL_SCOPES = ["files.content.write", "files.content.read", "files.metadata.read", "account_info.read"];

export interface DropboxFakeOptions {
  /** Where the bytes of files lie. Default: a temporary folder. */
  readonly folder?: string;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  readonly pageSize?: number;
}

/** What goes wrong with the next calls of a route. */
export interface FakeFault {
  readonly route: RegExp;
  readonly times: number;
  /** `refuse`: this error instead. `lose`: all is done, and the connection ends without an answer. `garbage`: HTML with status 200. */
  readonly kind: "refuse" | "lose" | "garbage";
  readonly error?: ApiError;
}

export interface DropboxFake {
  readonly port: number;
  readonly origin: string;
  readonly store: FakeStore;
  /** Each call in order of arrival: its route, the status that it got (0: none), and when it came and was answered. */
  readonly calls: readonly FakeCall[];
  /** May be changed at any time. */
  readonly behaviour: Behaviour;
  /** What a user gets who allows the app. */
  authorisationCode(): string;
  close(): Promise<void>;
}

export interface FakeCall {
  readonly route: string;
  status: number;
  readonly cameAt: number;
  answeredAt: number;
}

export interface Behaviour {
  faults: FakeFault[];
  tokenLifeS: number;
  scopes: string[];
  quotaBytes: number;
  latencyMs: number;
  isCorrupting: boolean;
  /** Every token that was given so far stops working. */
  revokeTokens(): void;
}

export async function startDropboxFake(options: DropboxFakeOptions = {}): Promise<DropboxFake> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "lifeboat-dropbox-"));
  const store = new FakeStore(folder);
  const tokens = new Map<string, number>();
  const codes = new Set<string>();
  const calls: FakeCall[] = [];
  const behaviour: Behaviour = {
    faults: [],
    tokenLifeS: 14_400,
    scopes: ALL_SCOPES,
    quotaBytes: Number.POSITIVE_INFINITY,
    latencyMs: 0,
    isCorrupting: false,
    revokeTokens: () => tokens.clear(),
  };

  const giveToken = (form: URLSearchParams): unknown => {
    const refuse = (status: number, error: string, text: string): never => {
      throw new ApiError(status, { error, error_description: text });
    };
    if (form.get("client_id") !== FAKE_APP_KEY || form.get("client_secret") !== FAKE_APP_SECRET)
      refuse(401, "invalid_client", "Invalid client_id or client_secret");
    const access_token = `sl.${randomBytes(12).toString("hex")}`;
    const token = {
      access_token,
      token_type: "bearer",
      expires_in: behaviour.tokenLifeS,
      scope: behaviour.scopes.join(" "),
    };
    if (form.get("grant_type") === "authorization_code") {
      if (!codes.delete(form.get("code") ?? "")) refuse(400, "invalid_grant", "code doesn't exist or has expired");
      tokens.set(access_token, performance.now() + behaviour.tokenLifeS * 1000);
      return { ...token, refresh_token: FAKE_REFRESH_TOKEN, uid: "12345", account_id: "dbid:fake" };
    }
    if (form.get("grant_type") !== "refresh_token") refuse(400, "unsupported_grant_type", "unknown grant type");
    if (form.get("refresh_token") !== FAKE_REFRESH_TOKEN)
      refuse(400, "invalid_grant", "refresh token is invalid or revoked");
    tokens.set(access_token, performance.now() + behaviour.tokenLifeS * 1000);
    return token;
  };

  const authorise = (request: IncomingMessage, scope: string): void => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const endsAt = token === undefined ? undefined : tokens.get(token);
    if (endsAt === undefined) throw ApiError.unauthorised("invalid_access_token");
    if (performance.now() > endsAt) throw ApiError.unauthorised("expired_access_token");
    if (!behaviour.scopes.includes(scope)) throw ApiError.unauthorised("missing_scope", { required_scope: scope });
  };

  const answer = async (name: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs);
    const fault = takeFault(behaviour.faults, name);
    if (fault?.kind === "refuse" && fault.error !== undefined) {
      await drained(request);
      throw fault.error;
    }
    if (fault?.kind === "garbage") {
      await drained(request);
      response
        .writeHead(200, { "Content-Type": "text/html" })
        .end("<html><body>Please log in to the hotel</body></html>");
      return;
    }
    const send = (body: unknown): void => {
      if (fault?.kind === "lose") response.destroy();
      else response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    if (name === "oauth2/token") return send(giveToken(new URLSearchParams(await textOf(request))));
    const route = ROUTES[name];
    if (route === undefined) throw new ApiError(404, `unknown route ${name}`);
    authorise(request, route.scope);
    const result = await route.run({
      arg: await argOf(name, route, request),
      body: route.style === "content" ? bytesOf(request) : noBytes(),
      store,
      range: request.headers.range,
      pageSize: options.pageSize ?? 500,
      quotaBytes: behaviour.quotaBytes,
      isCorrupting: behaviour.isCorrupting,
    });
    if (result.kind === "json") return send(result.body);
    const { file, start, end, status } = result;
    response.writeHead(status, {
      "Content-Type": "application/octet-stream",
      "Content-Length": end - start,
      ...(status === 206 ? { "Content-Range": `bytes ${start}-${end - 1}/${file.sizeBytes}` } : {}),
      // The documentation: characters outside of ASCII are escaped.
      "Dropbox-API-Result": asciiJson({
        name: file.name,
        path_display: file.path,
        rev: file.rev,
        size: file.sizeBytes,
        content_hash: file.contentHash,
        server_modified: new Date(file.modifiedAt).toISOString(),
      }),
    });
    if (end > start) await pipeline(store.read(file, start, end), response);
    else response.end();
  };

  const onRequest: RequestListener = (request, response) => {
    const name = (request.url ?? "").replace(/^\/(?:2\/)?/, "").replace(/\?.*$/, "");
    request.on("error", () => undefined);
    const call: FakeCall = { route: name, status: 0, cameAt: performance.now(), answeredAt: 0 };
    calls.push(call);
    response.on("close", () => {
      call.answeredAt = performance.now();
      if (response.writableFinished) call.status = response.statusCode;
    });
    answer(name, request, response).catch((error: unknown) => {
      const known = error instanceof ApiError ? error : new ApiError(500, "internal error of the fake");
      if (response.headersSent || request.socket.destroyed) return void response.destroy();
      request.resume();
      const isText = typeof known.body === "string";
      response.writeHead(known.status, {
        ...known.headers,
        "Content-Type": isText ? "text/plain" : "application/json",
      });
      response.end(isText ? known.body : JSON.stringify(known.body));
    });
  };
  const server: Server = options.tls === undefined ? createServer(onRequest) : createTlsServer(options.tls, onRequest);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    origin: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${address.port}`,
    store,
    calls,
    behaviour,
    authorisationCode() {
      const code = randomBytes(8).toString("hex");
      codes.add(code);
      return code;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function takeFault(faults: FakeFault[], route: string): FakeFault | undefined {
  const at = faults.findIndex((fault) => fault.times > 0 && fault.route.test(route));
  const fault = faults[at];
  if (fault === undefined) return undefined;
  faults[at] = { ...fault, times: fault.times - 1 };
  return fault;
}

async function argOf(name: string, route: Route, request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const header = request.headers["dropbox-api-arg"];
  const type = request.headers["content-type"] ?? "";
  if (route.style === "content" && name !== "files/download" && type !== "application/octet-stream")
    throw ApiError.badCall(name, `Bad HTTP "Content-Type" header: "${type}".`);
  if (route.style === "rpc" && type !== "application/json")
    throw ApiError.badCall(name, `Bad HTTP "Content-Type" header: "${type}".`);
  const text = route.style === "content" ? String(header ?? "") : await textOf(request);
  let arg: unknown;
  try {
    arg = JSON.parse(text);
  } catch {
    throw ApiError.badCall(name, "could not decode input as JSON");
  }
  if (typeof arg !== "object" || arg === null) throw ApiError.badCall(name, "expected object");
  const unknown = Object.keys(arg).find((key) => !route.args.includes(key));
  if (unknown !== undefined) throw ApiError.badCall(name, `unknown field '${unknown}'`);
  return arg as Readonly<Record<string, unknown>>;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of bytesOf(request)) text += String(chunk);
  return text;
}

async function drained(request: IncomingMessage): Promise<void> {
  for await (const chunk of bytesOf(request)) void chunk;
}

/** A refusal in the middle must not end the connection that it goes back on. */
function bytesOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false });
}

async function* noBytes(): AsyncGenerator<Buffer> {
  // A call without a body.
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
