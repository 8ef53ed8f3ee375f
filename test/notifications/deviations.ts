import type { RecordedCase, RecordedRequest } from "./recorded.ts";

/**
 * Where Lifeboat deliberately does not do what was recorded. Each entry must be needed: a case that passes without it fails
 * the suite. Requests are those that Lifeboat sends instead; `refused` cases are refused when the configuration is read.
 */
export interface Deviation {
  readonly reason: string;
  readonly covers: (recorded: RecordedCase) => boolean;
  readonly requests?: Change;
  /** What becomes of it, where that differs as well. */
  readonly result?: "ok" | "refused" | "failed";
}

type Change = (requests: readonly RecordedRequest[]) => readonly RecordedRequest[];
type Json = Record<string, unknown>;

const id =
  (...ids: string[]): Deviation["covers"] =>
  (recorded) =>
    ids.includes(recorded.id);

/** Changes the JSON body of every request. */
function json(change: (body: Json) => Json): Change {
  return (requests) => requests.map((request) => ({ ...request, json: change(request.json as Json) }));
}

function headers(change: Readonly<Record<string, string | undefined>>): Change {
  return (requests) =>
    requests.map((request) => ({
      ...request,
      headers: Object.fromEntries(
        Object.entries({ ...request.headers, ...change }).filter(([, value]) => value !== undefined),
      ) as Record<string, string>,
    }));
}

function url(change: (text: string) => string): Change {
  return (requests) => requests.map((request) => ({ ...request, url: change(request.url) }));
}

function form(change: (pairs: URLSearchParams) => void): Change {
  return (requests) =>
    requests.map((request) => {
      const pairs = new URLSearchParams(request.text);
      change(pairs);
      return { ...request, text: pairs.toString() };
    });
}

export const deviations: readonly Deviation[] = [
  {
    reason: "REC generic, D7: a raw text is text/plain, unless contenttype is given",
    covers: id("generic-1", "generic-5"),
    requests: headers({ "Content-Type": "text/plain; charset=utf-8" }),
  },
  {
    reason:
      "D8: a custom URL with template=json asks for JSON, as in the maintained fork; otherwise its whole query is forwarded",
    covers: id("generic-4"),
    requests: (requests) =>
      requests.map(({ method, headers: sent }) => ({
        method,
        headers: sent,
        url: "https://example.com/hook?token=x",
        json: { title: "Backup failed", message: "Job photos failed\nexit code 3" },
      })),
  },
  {
    reason: "D6: titleKey is the documented spelling, so it is a property",
    covers: id("generic-6"),
    requests: (requests) =>
      requests.map((request) => ({
        ...request,
        url: "https://example.com/hook",
        json: { message: "Job photos failed\nexit code 3", subject: "Backup failed" },
      })),
  },
  {
    reason: "REC generic: an unknown template is refused when the configuration is read",
    covers: id("generic-bad2"),
    result: "refused",
  },
  {
    reason: "REC gotify: one slash before message",
    covers: id("gotify-3"),
    requests: url((text) => text.replace("gotify//", "gotify/")),
  },
  {
    reason: "extras are sent only when they are given, as v0.8 and the API have it",
    covers: id("gotify-5"),
    requests: json((body) => Object.fromEntries(Object.entries(body).filter(([key]) => key !== "extras"))),
  },
  {
    reason: "REC gotify: the token is checked when the configuration is read",
    covers: id("gotify-bad1"),
    result: "refused",
  },
  {
    reason: "REC ntfy: the body's type is said, as the fork does",
    covers: ({ id: name }) => /^ntfy-[1-4]$/.test(name),
    requests: headers({ "Content-Type": "text/plain; charset=utf-8" }),
  },
  {
    reason: "REC bark: the key may stand in the user's place",
    covers: id("bark-bad3"),
    result: "ok",
    requests: () => [
      {
        method: "POST",
        url: "https://api.day.app/push",
        headers: { "Content-Type": "application/json" },
        json: { body: "Job photos failed\nexit code 3", device_key: "devicekey", title: "Backup failed", badge: 0 },
      },
    ],
  },
  {
    reason: "REC discord: a bare slash is harmless",
    covers: id("discord-bad1"),
    result: "ok",
    requests: () => [
      {
        method: "POST",
        url: "https://discord.com/api/webhooks/693853386302554172/W3dE2OZz4C13_4z-x",
        headers: { "Content-Type": "application/json" },
        json: {
          embeds: [
            { title: "Backup failed", description: "Job photos failed", color: 5_298_687 },
            { description: "exit code 3", color: 5_298_687 },
          ],
          username: "x",
        },
      },
    ],
  },
  {
    reason: "D2: the title stands above the text where the service has no field for it",
    covers: id(
      "googlechat-1",
      "googlechat-3",
      "rocketchat-1",
      "rocketchat-2",
      "rocketchat-3",
      "rocketchat-4",
      "rocketchat-5",
    ),
    requests: json((body) => ({ ...body, text: `Backup failed\n${String(body["text"])}` })),
  },
  { reason: "REC googlechat: the token is required", covers: id("googlechat-bad2"), result: "refused" },
  {
    reason: "REC ifttt: titlevalue is honoured",
    covers: id("ifttt-3"),
    requests: json((body) => ({ ...body, value1: "Backup failed" })),
  },
  {
    reason: "D10: all targets are tried",
    covers: id("ifttt-4", "pushbullet-4", "telegram-5"),
    requests: (requests) => {
      const last = requests.at(-1);
      if (last === undefined) return requests;
      const replaced = JSON.stringify(last.json).replace(/"(device_iden|chat_id)":"(?:b|1)"/, (_, key: string) =>
        key === "chat_id" ? '"chat_id":"2"' : '"device_iden":"c"',
      );
      return [...requests, { ...last, url: last.url.replace("/b/", "/c/"), json: JSON.parse(replaced) as Json }];
    },
  },
  {
    reason: "REC mattermost: the title above the text, as the fork does",
    covers: id("mattermost-1"),
    requests: json((body) => ({ ...body, text: `Backup failed\n${String(body["text"])}` })),
  },
  {
    reason: "REC matrix: the fork's version 3 with Bearer, PUT and transaction ids, and the title",
    covers: id("matrix-1", "matrix-4"),
    requests: (requests) => requests.map(matrixVersion3),
  },
  {
    reason: "REC matrix: room names are escaped as one part of the path, colons included",
    covers: id("matrix-1", "matrix-2", "matrix-3", "matrix-4"),
    requests: url((text) =>
      text.replace(/(?<=\/(?:join|rooms)\/)[^/]+/, (room) =>
        encodeURIComponent(decodeURIComponent(room)).replace("!", "%21"),
      ),
    ),
  },
  {
    reason: "REC pushbullet: the default title is applied",
    covers: id("pushbullet-3"),
    requests: json((body) => ({ ...body, title: "Shoutrrr notification" })),
  },
  {
    reason: "REC telegram: the title is a plain first line in the markdown modes",
    covers: id("telegram-4"),
    requests: json((body) => ({ ...body, text: `Backup failed\n${String(body["text"])}` })),
  },
  {
    reason: "D3: a long message is cut, never refused",
    covers: id("telegram-bad3"),
    result: "ok",
    requests: () => [
      {
        method: "POST",
        url: "https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage",
        headers: { "Content-Type": "application/json" },
        json: {
          text: `<b>Backup failed</b>\n${"x".repeat(4096 - 21 - 6)} [...]`,
          chat_id: "1",
          parse_mode: "HTML",
          disable_web_page_preview: false,
          disable_notification: false,
          reply_to_message_id: 0,
        },
      },
    ],
  },
  {
    reason: "REC zulip: with a topic in the URL the title stands above the text",
    covers: id("zulip-1"),
    requests: form((pairs) => pairs.set("content", `Backup failed\n\n${pairs.get("content") ?? ""}`)),
  },
  {
    reason: "REC zulip: the title is the topic where the URL names none",
    covers: id("zulip-2"),
    requests: form((pairs) => pairs.set("topic", "Backup failed")),
  },
  {
    reason: "REC zulip: the port counts",
    covers: id("zulip-3"),
    requests: url((text) => text.replace("zulip.x.test", "zulip.x.test:8443")),
  },
  {
    reason: "D3: a long topic is cut",
    covers: id("zulip-bad3"),
    result: "ok",
    requests: () => [
      {
        method: "POST",
        url: "https://example.zulipchat.com/api/v1/messages",
        headers: {
          Authorization: "Basic bXktYm90QHp1bGlwY2hhdC5jb206Y29ycmVjdGhvcnNlYmF0dGVyeXN0YWJsZQ==",
          "Content-Type": "application/x-www-form-urlencoded",
        },
        text: new URLSearchParams({
          type: "stream",
          to: "s",
          topic: `${"x".repeat(54)} [...]`,
          content: "Backup failed\n\nJob photos failed\nexit code 3",
        }).toString(),
      },
    ],
  },
  {
    reason: "a blank in front of a URL is tolerated (correction 11)",
    covers: id("router-bad3"),
    result: "ok",
    requests: () => [
      {
        method: "POST",
        url: "https://ntfy.sh/t",
        headers: { "Content-Type": "text/plain; charset=utf-8", Priority: "Default", Title: "Backup failed" },
        text: "Job photos failed\nexit code 3",
      },
    ],
  },
];

function matrixVersion3(request: RecordedRequest): RecordedRequest {
  const { pathname, origin, searchParams } = new URL(request.url);
  const token = searchParams.get("access_token");
  const isSend = pathname.includes("/send/");
  const isLogin = pathname.endsWith("/login") && request.method === "POST";
  const path = pathname.replace("/r0/", "/v3/");
  const body = request.json as Json | null | undefined;
  const json_ = pathname.includes("/join/")
    ? {}
    : isSend
      ? { ...body, body: `Backup failed\n\n${String(body?.["body"])}` }
      : isLogin
        ? { ...body, device_id: "SHSAXwDDjT" }
        : undefined;
  const { json: _, ...rest } = request;
  return {
    ...rest,
    method: isSend ? "PUT" : request.method,
    url: `${origin}${path}${isSend ? "/‹txnId›" : ""}`,
    headers: { ...request.headers, ...(token === null ? {} : { Authorization: `Bearer ${token}` }) },
    ...(json_ === undefined ? {} : { json: json_ }),
  };
}
