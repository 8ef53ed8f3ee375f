import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { sendAll } from "../../src/notifications/send/send-all.ts";
import { parseMqtt } from "../../src/notifications/services/mqtt.ts";
import { parseGoUrl } from "../../src/notifications/url/go-url.ts";
import { services } from "../../src/notifications/services/index.ts";
import { deviations } from "./deviations.ts";
import { type MoreCase, more, ownCases, recorded, type RecordedCase, type RecordedRequest } from "./recorded.ts";
import { goodReply } from "./good-replies.ts";
import { openWire, type Received, type Wire } from "./wire.ts";

/** A request in a form in which two that mean the same are equal. */
function comparable(request: RecordedRequest | Received): unknown {
  const { href } = new URL(request.url);
  const [address, query = ""] = href.split("?");
  const lower = Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const headers = Object.fromEntries(lower.filter(([name]) => !IGNORED_HEADERS.has(name)));
  return {
    method: request.method,
    address: address?.replace(/(?<=\/m\.room\.message\/).+$/, "‹txnId›"),
    query: sorted(query),
    headers,
    body: bodyOf(request, headers),
  };
}

/** What the HTTP library adds, and the sender's own name. */
const IGNORED_HEADERS = new Set(["host", "connection", "content-length", "user-agent"]);

function sorted(form: string): string[] {
  return [...new URLSearchParams(form)].map(([key, value]) => `${key}=${value}`).toSorted();
}

function bodyOf(request: RecordedRequest | Received, headers: Readonly<Record<string, string>>): unknown {
  if ("json" in request && request.json !== undefined) return request.json;
  const text = "text" in request && request.text !== undefined ? request.text : (request.body ?? "");
  if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true) return sorted(text);
  return headers["content-type"] === "application/json" ? parsedOr(text) : text;
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Raw text under a JSON content type, as some senders had it.
    return text;
  }
}

let wire: Wire;
let replies: readonly { status: number; body: string }[] = [];

beforeAll(async () => {
  wire = await openWire((received, index) => replies[index] ?? goodReply(received));
});
afterAll(() => wire.close());

interface Seen {
  readonly result: "ok" | "refused" | "failed";
  readonly requests: readonly Received[];
}

async function run(
  url: string,
  title: string | null,
  body: string,
  canned: readonly { status: number; body: string }[],
): Promise<Seen> {
  const { routes } = parseRoutes(url.replaceAll(",", "%2C"));
  if (routes.length === 0) return { result: "refused", requests: [] };
  wire.received.length = 0;
  replies = canned;
  const [report] = await sendAll(
    routes,
    { ...(title === null ? {} : { title }), body, level: "error" },
    { signal: AbortSignal.timeout(10_000), connections: wire.connections, retryBaseMs: 1 },
  );
  return { result: report?.isDelivered === true ? "ok" : "failed", requests: [...wire.received] };
}

function expectedOf({ result, requests }: RecordedCase): {
  result: Seen["result"];
  requests: readonly RecordedRequest[];
} {
  const meaning = { ok: "ok", "send-error": "failed", "parse-error": "refused", crash: "refused" } as const;
  return { result: meaning[result as keyof typeof meaning], requests: requests ?? [] };
}

const built = new Set(services.flatMap(({ schemes }) => schemes));
const schemeOf = (url: string): string => /^\s*([a-z]+)/.exec(url)?.[1] ?? "";

describe("recorded requests", () => {
  it.each(recorded.http.map((one) => ({ ...one, name: one.id })))("$name", async (one) => {
    const seen = await run(one.url, one.title, one.message, one.replies ?? []);
    const actual = { result: seen.result, requests: seen.requests.map(comparable) };
    const plain = expectedOf(one);
    const applied = deviations.filter(({ covers }) => covers(one));
    let wanted = plain;
    for (const { result, requests } of applied) {
      wanted = { result: result ?? wanted.result, requests: requests?.(wanted.requests) ?? wanted.requests };
    }
    expect(actual).toEqual({
      result: wanted.result,
      requests: wanted.result === "refused" ? [] : wanted.requests.map(comparable),
    });
    if (applied.length > 0) expect(actual).not.toEqual({ ...plain, requests: plain.requests.map(comparable) });
  });
});

describe("deviations", () => {
  it.each(deviations)("$reason", ({ covers }) => {
    expect(recorded.http.filter(covers)).not.toHaveLength(0);
  });
});

function asRecorded(request: NonNullable<MoreCase["requests"]>[number]): RecordedRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      value.startsWith("Basic:") ? `Basic ${Buffer.from(value.slice(6)).toString("base64")}` : value,
    ]),
  );
  return {
    method: request.method,
    url: `${request.scheme}://${request.host}${request.path}`,
    headers,
    ...(request.json === undefined ? {} : { json: request.json }),
    ...(request.form === undefined ? {} : { text: new URLSearchParams(request.form as [string, string][]).toString() }),
  };
}

describe("schemes of the maintained fork", () => {
  it.each(more.filter(({ url }) => !url.startsWith("mqtt")).map((one) => ({ ...one, name: one.url })))(
    "$name",
    async (one) => {
      const seen = await run(one.url, one.title, one.body, []);
      if (one.kind === "malformed") {
        expect(seen.result).toBe("refused");
        return;
      }
      expect(seen.result).toBe("ok");
      const { check } = (one.expected ?? {}) as { check?: { name: string; to?: string; json?: object; field: string } };
      if (check === undefined) {
        expect(seen.requests.map((request) => masked(comparable(request)))).toEqual(
          one.requests?.map((request) => comparable(asRecorded(request))),
        );
        return;
      }
      const [request] = seen.requests;
      const body = JSON.parse(request?.body ?? "") as Record<string, unknown>;
      expect(body).toMatchObject(check.json ?? {});
      if (check.to !== undefined) expect(request?.url).toContain(check.to);
      expect(JSON.stringify(body)).toContain(JSON.stringify(one.body).slice(1, -1));
    },
  );
});

describe("MQTT", () => {
  it.each(more.filter(({ url }) => url.startsWith("mqtt")).map((one) => ({ ...one, name: one.url })))(
    "$name",
    (one) => {
      if (one.kind === "malformed") {
        expect(parseRoutes(one.url).routes).toEqual([]);
        return;
      }
      const { check } = one.expected as {
        check: { connect: { port: number; tls: boolean }; publish: Record<string, unknown> };
      };
      const { port, isTls, topic, qos, props } = parseMqtt(parseGoUrl(one.url));
      expect({ port, tls: isTls }).toEqual(check.connect);
      expect({ topic, qos, retain: props.retained }).toMatchObject(check.publish);
    },
  );
});

/** A signature depends on the time. */
function masked(request: unknown): unknown {
  return JSON.parse(
    JSON.stringify(request, (key, value: unknown) =>
      key === "timestamp" ? "TIMESTAMP" : key === "sign" ? "GOOD" : value,
    ),
  ) as unknown;
}

describe("logger", () => {
  it.each(ownCases)("$id", async ({ url, title, body, isRefused, log }) => {
    const { routes } = parseRoutes(url);
    expect(routes).toHaveLength(isRefused === true ? 0 : 1);
    const lines: string[] = [];
    const silent = (): void => undefined;
    const recorder = { debug: silent, info: (line: string) => lines.push(line), warn: silent, error: silent };
    await sendAll(
      routes,
      { title, body, level: "error" },
      {
        signal: AbortSignal.timeout(1000),
        log: {
          ...recorder,
          with: () => {
            throw new Error("unused");
          },
        },
      },
    );
    expect(lines).toEqual(log);
  });
});

describe("coverage", () => {
  const urls = [...recorded.http, ...recorded.smtp, ...more, ...ownCases].map(({ url }) => schemeOf(url));
  it.each([...built].map((scheme) => ({ scheme })))("$scheme has a recorded case", ({ scheme }) => {
    expect(urls).toContain(scheme);
  });
});
