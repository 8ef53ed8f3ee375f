import * as http from "node:http";
import * as https from "node:https";
import type { HttpOperationResponse, IHttpClient, WebResource } from "@azure/storage-blob";
import { CONNECT_MS, IDLE_MS } from "../limits.ts";
import { throughProxy } from "../proxy.ts";
import { slicesOf } from "../slices.ts";

const SOCKETS = 16;
/** A page of a listing is the largest text that the service sends. */
const LONGEST_TEXT_BYTES = 64 * 1024 * 1024;

export interface OwnHttpClient extends IHttpClient {
  close(): void;
}

/**
 * The SDK's own client knows only a limit for a whole request, which a large block on a slow line would break, and sends a
 * block as one piece. This one gives up when nothing moves, and hands blocks over in pieces.
 */
export function createHttpClient(address: URL): OwnHttpClient {
  const agentOptions = { keepAlive: true, maxSockets: SOCKETS, ...throughProxy(address) };
  const plain = new http.Agent(agentOptions);
  const secure = new https.Agent(agentOptions);
  return {
    async sendRequest(resource) {
      const signal = resource.abortSignal as AbortSignal | undefined;
      signal?.throwIfAborted();
      const answer = await exchange(resource, signal, plain, secure);
      const status = answer.statusCode ?? 0;
      const response = { request: resource, status, headers: headersOf(resource, answer) };
      const wanted = resource.streamResponseStatusCodes;
      const isStream = wanted !== undefined && (wanted.has(status) || wanted.has(Number.POSITIVE_INFINITY));
      if (isStream) return { ...response, readableStreamBody: answer };
      return { ...response, bodyAsText: await textOf(answer) };
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

function exchange(
  resource: WebResource,
  signal: AbortSignal | undefined,
  plain: http.Agent,
  secure: https.Agent,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(resource.url);
    const isSecure = url.protocol === "https:";
    const request = (isSecure ? https : http).request(url, {
      method: resource.method,
      headers: resource.headers.toJson({ preserveCase: true }),
      agent: isSecure ? secure : plain,
      ...(signal === undefined ? {} : { signal }),
    });
    const silent = (): void =>
      void request.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" }));
    const connecting = setTimeout(silent, CONNECT_MS);
    request.once("socket", (socket) => {
      if (!socket.connecting) clearTimeout(connecting);
      else socket.once(isSecure ? "secureConnect" : "connect", () => clearTimeout(connecting));
    });
    request.setTimeout(IDLE_MS, silent);
    request.once("close", () => clearTimeout(connecting));
    request.once("error", reject);
    request.once("response", (answer) => {
      // After the answer, an error of the request is one of the answer.
      request.on("error", (error) => answer.destroy(error));
      resolve(answer);
    });
    const body: unknown = resource.body;
    if (Buffer.isBuffer(body)) {
      // The count is not asked for: what matters is that something moves.
      slicesOf(body, { taken: () => resource.onUploadProgress?.({ loadedBytes: 0 }) }).pipe(request);
    } else request.end(typeof body === "string" ? body : undefined);
  });
}

function headersOf(resource: WebResource, answer: http.IncomingMessage): HttpOperationResponse["headers"] {
  const headers = resource.headers.clone();
  for (const { name } of headers.headersArray()) headers.remove(name);
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}

async function textOf(answer: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > LONGEST_TEXT_BYTES) throw new Error("the answer is too long");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
