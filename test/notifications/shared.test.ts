import { afterEach, describe, expect, it } from "vitest";
import type { NotificationMessage, SendReport } from "../../src/contracts/notification.ts";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { type SendOptions, sendAll } from "../../src/notifications/send/send-all.ts";
import { services } from "../../src/notifications/services/index.ts";
import { fakeService } from "./fakes.ts";
import { type Answering, openWire, type Wire } from "./wire.ts";

interface Sample {
  readonly name: string;
  readonly url: string;
  /** What must be in no message. */
  readonly secrets: readonly string[];
  /** Requests for one message that succeeds. */
  readonly requests: number;
  /** Unknown properties belong to someone else, or are passed over. */
  readonly toleratesUnknown?: true;
}

const WORKFLOW = encodeURIComponent(
  "https://prod-00.westus.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke?sig=sIg-secret",
);
const SLACK = ["WNA3PBYV6", "F20DUQND3RQ", "Webc4MAvoacrpPakR8phF0zi"];

const samples: readonly Sample[] = [
  { name: "bark", url: "bark://:k3y-s@bark.example.com?x", secrets: ["k3y-s"], requests: 1 },
  { name: "discord", url: "discord://t0ken-s@12345?x", secrets: ["t0ken-s"], requests: 1 },
  {
    name: "generic",
    url: "generic://us:pa55word@hook.example.com/s3cret-path?template=json&key=s3cret-value&@X-Key=s3cret-header",
    secrets: ["pa55word", "s3cret-path", "s3cret-value", "s3cret-header"],
    requests: 1,
    toleratesUnknown: true,
  },
  { name: "gotify", url: "gotify://gotify.example.com/AzyoeNS.D4iJLVa?x", secrets: ["AzyoeNS.D4iJLVa"], requests: 1 },
  {
    name: "googlechat",
    url: "googlechat://chat.googleapis.com/v1/spaces/S/messages?key=k3y-s&token=t0k-s",
    secrets: ["k3y-s", "t0k-s"],
    requests: 1,
    toleratesUnknown: true,
  },
  { name: "ifttt", url: "ifttt://k3y-secret/?events=backup", secrets: ["k3y-secret"], requests: 1 },
  { name: "join", url: "join://:k3y-s@join/?devices=d", secrets: ["k3y-s"], requests: 1 },
  { name: "lark", url: "lark://open.larksuite.com/t0ken-s?secret=s3c-s", secrets: ["t0ken-s", "s3c-s"], requests: 1 },
  { name: "matrix", url: "matrix://:t0ken-s@matrix.example.com/?rooms=!x:h", secrets: ["t0ken-s"], requests: 2 },
  { name: "mattermost", url: "mattermost://mm.example.com/t0ken-s?x", secrets: ["t0ken-s"], requests: 1 },
  { name: "notifiarr", url: "notifiarr://k3y-s?name=Backup", secrets: ["k3y-s"], requests: 1, toleratesUnknown: true },
  {
    name: "ntfy",
    url: "ntfy://us:p4ss-s@ntfy.example.com/t0pic-s?tags=x",
    secrets: ["p4ss-s", "t0pic-s"],
    requests: 1,
  },
  { name: "opsgenie", url: "opsgenie://api.opsgenie.com/k3y-s?alias=x", secrets: ["k3y-s"], requests: 1 },
  {
    name: "pagerduty",
    url: "pagerduty:///0123456789abcdef0123456789abcdef?source=x",
    secrets: ["0123456789abcdef0123456789abcdef"],
    requests: 1,
  },
  {
    name: "pushbullet",
    url: "pushbullet://tokentokentokentokentokentokentoke/d",
    secrets: ["tokentokentokentokentokentokentoke"],
    requests: 1,
  },
  { name: "pushover", url: "pushover://:t0ken-s@us3r-s/", secrets: ["t0ken-s", "us3r-s"], requests: 1 },
  {
    name: "rocketchat",
    url: "rocketchat://rc.example.com/t0ken-a/t0ken-b",
    secrets: ["t0ken-a", "t0ken-b"],
    requests: 1,
    toleratesUnknown: true,
  },
  {
    name: "signal",
    url: "signal://us:p4ss-s@signal.example.com/+4915112345/+4915198765",
    secrets: ["p4ss-s", "+4915112345", "+4915198765"],
    requests: 1,
  },
  { name: "slack", url: `slack://hook:${SLACK.join("-")}@webhook`, secrets: SLACK, requests: 1 },
  { name: "teams", url: `teams://?host=${WORKFLOW}`, secrets: ["sIg-secret"], requests: 1, toleratesUnknown: true },
  {
    name: "telegram",
    url: "telegram://110201543:s3cret-part@telegram?chats=@c",
    secrets: ["s3cret-part"],
    requests: 1,
  },
  {
    name: "twilio",
    url: "twilio://ACsid-s:auth-s@+15551110000/+15552220000",
    secrets: ["ACsid-s", "auth-s"],
    requests: 1,
  },
  { name: "wecom", url: "wecom://k3y-s", secrets: ["k3y-s"], requests: 1 },
  {
    name: "zulip",
    url: "zulip://bot%40x.test:k3y-s@zulip.example.com/?stream=s",
    secrets: ["k3y-s"],
    requests: 1,
    toleratesUnknown: true,
  },
].map((sample) => ({ ...sample, url: sample.url.replace(/\?x$/, "").replaceAll(",", "%2C") }) as Sample);

const message: NotificationMessage = { title: "Backup failed", body: "Job photos failed\nexit code 3", level: "error" };

let wire: Wire | undefined;
afterEach(async () => {
  await wire?.close();
  wire = undefined;
});

async function send(
  url: string,
  answer: Answering,
  options: Partial<SendOptions> & { message?: NotificationMessage } = {},
): Promise<{ report: SendReport; wire: Wire }> {
  wire = await openWire(answer);
  const { routes, problems } = parseRoutes(url);
  expect(problems).toEqual([]);
  const [report = expect.fail()] = await sendAll(routes, options.message ?? message, {
    signal: AbortSignal.timeout(20_000),
    connections: wire.connections,
    retryBaseMs: 1,
    ...options,
  });
  return { report, wire };
}

it("every service over HTTP is here", () => {
  const others = new Set(["logger", "mqtt", "smtp"]);
  expect(samples.map(({ name }) => name).toSorted()).toEqual(
    services
      .map(({ name }) => name)
      .filter((name) => !others.has(name))
      .toSorted(),
  );
});

describe.each(samples)("$name", ({ url, secrets, requests, toleratesUnknown }) => {
  it("delivers to a service that refuses what the real one refuses", async () => {
    const { report, wire: used } = await send(url, fakeService);
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(used.received).toHaveLength(requests);
    expect(used.received.every(({ headers }) => headers["user-agent"]?.startsWith("lifeboat/"))).toBe(true);
  });

  it("keeps the service's limits with a megabyte of text and a long title", async () => {
    for (const piece of ["Größe: 1 024 МиБ — 完了 🎉\n", "x"]) {
      const long = { ...message, title: `${piece.trim()} `.repeat(2000), body: piece.repeat(1_000_000 / piece.length) };
      const { report, wire: used } = await send(url, fakeService, { message: long });
      expect(report.problems).toEqual([]);
      expect(report.isDelivered).toBe(true);
      await used.close();
    }
  });

  it("sends texts beyond ASCII unharmed", async () => {
    const title = "Резервная копия ✅ 日本";
    const body = "Größe: 1 024 МиБ — naïve 完了 🎉";
    const { report, wire: used } = await send(url, fakeService, { message: { title, body, level: "info" } });
    expect(report.problems).toEqual([]);
    const last = used.received.at(-1);
    const sent = `${last?.body ?? ""} ${Object.values(last?.headers ?? {}).join(" ")} ${last?.url ?? ""}`;
    const readable = sent + decodeURIComponent(sent.replaceAll("+", " ").replaceAll(/%(?![0-9A-F]{2})/gi, "%25"));
    expect(readable).toContain(body);
    expect(readable.includes(title) || url.startsWith("ifttt")).toBe(true);
  });

  it("is not tried again after 401, and the answer is shown without secrets", async () => {
    const { report, wire: used } = await send(url, (received) => ({
      status: 401,
      body: `nope: ${received.url} ${JSON.stringify(received.headers)} ${received.body} ${url} ${decodeURIComponent(url)}`,
    }));
    expect(report).toMatchObject({ isDelivered: false, canRetry: false });
    expect(used.received.length).toBeLessThanOrEqual(requests);
    expect(report.problems.join()).toMatch(/HTTP 401: nope/);
    for (const secret of secrets) {
      expect(report.problems.join()).not.toContain(secret);
      expect(report.problems.join()).not.toContain(Buffer.from(secret).toString("base64").replaceAll("=", ""));
    }
  });

  it.each([
    { what: "429", reply: { status: 429, headers: { "retry-after": "0.01" } } },
    { what: "503", reply: { status: 503, body: "busy" } },
    { what: "a cut connection", reply: { status: 200, cut: true } },
  ])("is tried again after $what", async ({ reply }) => {
    const { report, wire: used } = await send(url, (received, index) => (index < 2 ? reply : fakeService(received)));
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(used.received).toHaveLength(requests + 2);
  });

  it("gives up on a server that never answers", async () => {
    const { report } = await send(url, () => ({ status: 200, afterMs: Number.POSITIVE_INFINITY }), {
      deadlineMs: 400,
      attemptMs: 150,
    });
    expect(report).toMatchObject({ isDelivered: false, canRetry: true });
    expect(report.problems.join()).toMatch(/no answer within|not done within/);
    expect(report.tookMs).toBeLessThan(5000);
  });

  it("knows its properties", () => {
    const { problems } = parseRoutes(`${url}${url.includes("?") ? "&" : "?"}no_such_thing=hunter2`);
    if (toleratesUnknown === true) expect(problems).toEqual([]);
    else expect(problems.join()).toMatch(/no_such_thing is no property of it; there are? /);
    expect(problems.join()).not.toContain("hunter2");
  });

  it("has a title without line breaks where it goes into a header", async () => {
    const { report } = await send(url, fakeService, { message: { ...message, title: "a\r\nX-Evil: 1" } });
    expect(report.problems).toEqual([]);
  });
});
