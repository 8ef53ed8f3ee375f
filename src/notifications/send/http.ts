import { request } from "undici";
import { VERSION } from "../../version.ts";
import { UserError } from "../../lib/errors.ts";
import type { Answer, HttpRequest } from "../service.ts";
import type { Connections } from "./proxies.ts";

const MOST_REDIRECTS = 10;
/** More of an answer is not read; a Matrix account may be in many rooms. */
const LONGEST_ANSWER_BYTES = 1_000_000;
/** Stay at their host. */
const CREDENTIALS = ["authorization", "access-token", "x-gotify-key", "cookie"];

/** Sends one request and reads the answer, whatever its status; follows redirects as browsers do. */
export async function exchange(sent: HttpRequest, connections: Connections, signal: AbortSignal): Promise<Answer> {
  let { method, body } = sent;
  let url = new URL(sent.url);
  let headers = wireHeaders(sent.headers);
  let isBodyLost = false;
  for (let redirects = 0; ; redirects += 1) {
    const response = await request(url, {
      method: method as "POST",
      headers,
      ...(body === undefined ? {} : { body }),
      dispatcher: connections.for(url, sent.acceptsAnyCertificate === true),
      signal,
    });
    const location = singleHeader(response.headers["location"]);
    const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode) && location !== undefined;
    if (!isRedirect) return { ...answerOf(response), ...(await readText(response.body)), isBodyLost };
    await response.body.dump();
    if (redirects === MOST_REDIRECTS) throw new UserError(`more than ${MOST_REDIRECTS} redirects`);
    const next = nextUrl(location, url);
    if (response.statusCode < 307 && method !== "HEAD") {
      isBodyLost ||= body !== undefined && method !== "GET";
      method = "GET";
      body = undefined;
      headers = without(headers, ["content-type"]);
    }
    if (next.hostname !== url.hostname) headers = without(headers, [...CREDENTIALS, ...(sent.secretHeaders ?? [])]);
    url = next;
  }
}

function nextUrl(location: string, from: URL): URL {
  const next = URL.parse(location, from.href);
  if (next === null || !/^https?:$/.test(next.protocol)) throw new UserError("a redirect to something that is no URL");
  if (next.protocol === "http:" && from.protocol === "https:")
    throw new UserError("a redirect from https to http, which would show the message on its way");
  return next;
}

function answerOf(response: {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
}): Pick<Answer, "status" | "header"> {
  return { status: response.statusCode, header: (name) => singleHeader(response.headers[name]) };
}

/** As much as comes. The status has come by then, so a text that breaks off must not make the message be sent again. */
async function readText(body: AsyncIterable<Buffer>): Promise<Pick<Answer, "text" | "isCut">> {
  const chunks: Buffer[] = [];
  let size = 0;
  let isCut = false;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > LONGEST_ANSWER_BYTES) break;
    }
  } catch {
    isCut = true;
  }
  return { text: Buffer.concat(chunks).toString("utf8"), isCut };
}

function singleHeader(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Belong to the connection; the library sets them itself and refuses a request that has others. */
const CONNECTION_HEADERS = ["content-length", "transfer-encoding", "trailer", "expect", "keep-alive", "upgrade"];

/** Header values go out as the bytes of UTF-8, which is what the services that take text in headers read. */
function wireHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const out: Record<string, string> = { "user-agent": `lifeboat/${VERSION}` };
  for (const [name, value] of Object.entries(headers)) {
    const bytes = Buffer.from(value.replaceAll(/[\r\n\0]+/g, " ")).toString("latin1");
    // Of two spellings of one name the later counts.
    for (const known of Object.keys(out)) if (known.toLowerCase() === name.toLowerCase()) delete out[known];
    out[name] = bytes;
  }
  return without(out, CONNECTION_HEADERS);
}

function without(headers: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  const unwanted = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !unwanted.has(name.toLowerCase())));
}
