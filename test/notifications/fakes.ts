import type { Received, Reply } from "./wire.ts";

/*
 * What the services' public documentation says that they take and refuse. Each fake answers as the service does; a text
 * that is too long, a missing field or a wrong type is refused, and so is a wrong address.
 */

type Fake = (received: Received, body: Readonly<Record<string, unknown>>) => Reply;

const characters = (value: unknown): number => (typeof value === "string" ? Array.from(value).length : 0);
const bytes = (value: unknown): number => (typeof value === "string" ? Buffer.byteLength(value) : 0);
const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });
const isText = (value: unknown): value is string => typeof value === "string";

const ok = json(200, {});

/** By host; what is left after the hosts with a name of their own is told apart by its path. */
const HOSTS: Readonly<Record<string, Fake>> = {
  "discord.com": (_, body) => {
    const embeds = (body["embeds"] ?? []) as readonly Record<string, unknown>[];
    const total = embeds.reduce((sum, embed) => sum + characters(embed["title"]) + characters(embed["description"]), 0);
    const isGood =
      embeds.length > 0 &&
      embeds.length <= 10 &&
      total <= 6000 &&
      embeds.every(
        (embed) => characters(embed["title"]) <= 256 && characters(embed["description"]) <= 4096 && total > 0,
      );
    return isGood ? { status: 204 } : json(400, { message: "Invalid Form Body", code: 50_035 });
  },
  "hooks.slack.com": (_, body) => {
    const attachments = (body["attachments"] ?? []) as readonly unknown[];
    if (attachments.length > 100) return { status: 400, body: "too_many_attachments" };
    if (body["text"] === "" && attachments.length === 0) return { status: 400, body: "no_text" };
    return JSON.stringify(body).length > 200_000 ? { status: 400, body: "msg_too_long" } : { status: 200, body: "ok" };
  },
  "slack.com": ({ headers }, body) => {
    if (!/^Bearer xox[a-z]-/.test(headers["authorization"] ?? "")) return json(200, { ok: false, error: "not_authed" });
    return json(200, isText(body["channel"]) ? { ok: true } : { ok: false, error: "channel_not_found" });
  },
  "api.telegram.org": (_, body) => {
    const { text } = body;
    const refuse = (description: string): Reply =>
      json(400, { ok: false, error_code: 400, description: `Bad Request: ${description}` });
    if (!isText(text) || text === "") return refuse("message text is empty");
    const isHtml = body["parse_mode"] === "HTML";
    const shown = isHtml ? text.replaceAll(/<\/?b>/g, "").replaceAll(/&(?:amp|lt|gt|#34|#39);/g, "x") : text;
    if (isHtml && /[<>]|&(?!(?:amp|lt|gt|#34|#39);)/.test(text.replaceAll(/<\/?b>/g, "")))
      return refuse("can't parse entities");
    if (shown.length > 4096) return refuse("message is too long");
    return json(200, { ok: true, result: { message_id: 1 } });
  },
  "chat.googleapis.com": (_, body) =>
    bytes(body["text"]) > 32_000 || characters(body["text"]) > 4096 || !isText(body["text"])
      ? json(400, { error: { code: 400 } })
      : ok,
  "maker.ifttt.com": () => ({ status: 200, body: "Congratulations! You've fired the event" }),
  "joinjoaomgcd.appspot.com": ({ url }) => {
    const query = new URL(url).searchParams;
    if (url.length > 16_000) return { status: 414 };
    return json(
      200,
      query.get("deviceIds") && query.get("text") ? { success: true } : { success: false, errorMessage: "no device" },
    );
  },
  "api.pushbullet.com": ({ headers }, body) =>
    headers["access-token"] === undefined || body["type"] !== "note"
      ? json(401, { error: { message: "Access token is missing or invalid." } })
      : ok,
  "api.pushover.net": ({ body }) => {
    const form = new URLSearchParams(body);
    const isGood =
      characters(form.get("message")) <= 1024 &&
      characters(form.get("title")) <= 250 &&
      (form.get("message") ?? "") !== "";
    return isGood
      ? json(200, { status: 1 })
      : json(400, { status: 0, errors: ["message cannot be blank or too long"] });
  },
  "prod-00.westus.logic.azure.com": ({ body }) =>
    body.length > 28_000 ? json(413, { error: { code: "RequestEntityTooLarge" } }) : { status: 202 },
  "api.opsgenie.com": ({ headers }, body) => {
    if (!/^GenieKey ./.test(headers["authorization"] ?? "")) return json(401, { message: "Key format is not valid!" });
    const isGood =
      characters(body["message"]) <= 130 && body["message"] !== "" && characters(body["description"]) <= 15_000;
    return isGood
      ? json(202, { result: "Request will be processed" })
      : json(422, { message: "Request body is not processable" });
  },
  "open.larksuite.com": ({ body }) =>
    Buffer.byteLength(body) > 20_000
      ? json(200, { code: 9499, msg: "too large" })
      : json(200, { code: 0, msg: "success" }),
  "qyapi.weixin.qq.com": (_, body) =>
    bytes((body["text"] as Record<string, unknown>)["content"]) > 2048
      ? json(200, { errcode: 40_058, errmsg: "content exceed max length" })
      : json(200, { errcode: 0, errmsg: "ok" }),
  "notifiarr.com": (_, body) => {
    const { text } = body["discord"] as { text: Record<string, unknown> };
    return characters(text["description"]) > 4096 || characters(text["title"]) > 256
      ? json(400, { result: "error" })
      : json(200, { result: "success" });
  },
  "events.pagerduty.com": (received, body) => {
    const payload = body["payload"] as Record<string, unknown>;
    const isGood =
      characters(payload["summary"]) <= 1024 &&
      payload["summary"] !== "" &&
      Buffer.byteLength(received.body) <= 512_000;
    return isGood ? json(202, { status: "success" }) : json(400, { status: "invalid event" });
  },
  "api.twilio.com": ({ body }) => {
    const form = new URLSearchParams(body);
    return characters(form.get("Body")) > 1600 || !form.get("Body")
      ? json(400, { code: 21_617 })
      : json(201, { sid: "SM1" });
  },
};

const PATHS: readonly (readonly [RegExp, Fake])[] = [
  [
    /\/push$/,
    (received, body) =>
      Buffer.byteLength(received.body) > 4096
        ? json(400, { code: 400, message: "PayloadTooLarge" })
        : json(200, { code: isText(body["device_key"]) ? 200 : 400 }),
  ],
  [
    /\/message$/,
    (_, body) =>
      isText(body["message"]) && typeof body["priority"] === "number"
        ? json(200, { id: 1 })
        : json(400, { error: "Bad Request", errorCode: 400 }),
  ],
  [
    /\/hooks\/[^/]+\/[^/]+$/,
    (_, body) =>
      characters(body["text"]) > 5000 || !body["text"]
        ? json(400, { success: false, error: "error-message-size-exceeded" })
        : json(200, { success: true }),
  ],
  [
    /\/hooks\/[^/]+$/,
    (_, body) =>
      characters(body["text"]) > 16_383 || !body["text"]
        ? json(400, { message: "Invalid message" })
        : { status: 200, body: "ok" },
  ],
  [
    /\/api\/v1\/messages$/,
    ({ body }) => {
      const form = new URLSearchParams(body);
      if (!form.get("to") || characters(form.get("topic")) > 60)
        return json(400, { result: "error", msg: "Invalid topic" });
      return characters(form.get("content")) > 10_000 || !form.get("content")
        ? json(400, { result: "error", msg: "Message too long" })
        : json(200, { result: "success" });
    },
  ],
  [
    /\/v2\/send$/,
    (_, body) => {
      const recipients = (body["recipients"] ?? []) as readonly string[];
      const isMixed =
        recipients.some((one) => one.startsWith("group.")) && recipients.some((one) => one.startsWith("+"));
      return isMixed
        ? json(400, { error: "Signal Messenger Groups and phone numbers cannot be specified together in one request!" })
        : json(201, { timestamp: "1" });
    },
  ],
  [
    /\/login$/,
    ({ method }) =>
      json(200, method === "GET" ? { flows: [{ type: "m.login.password" }] } : { access_token: "syt_secret_token" }),
  ],
  [/\/joined_rooms$/, () => json(200, { joined_rooms: ["!a:h", "!b:h"] })],
  [/\/join\//, () => json(200, { room_id: "!x:h" })],
  [
    /\/send\/m\.room\.message\//,
    ({ body }) =>
      Buffer.byteLength(body) > 65_000 ? json(413, { errcode: "M_TOO_LARGE" }) : json(200, { event_id: "$1" }),
  ],
];

/** An address that no service has is a fault of ours: 404. */
export function fakeService(received: Received): Reply {
  const { hostname, pathname } = new URL(received.url);
  const fake = HOSTS[hostname] ?? PATHS.find(([path]) => path.test(pathname))?.[1];
  if (fake !== undefined) return fake(received, parsed(received.body));
  // The rest are webhooks of any kind, and ntfy, which has a limit.
  if (hostname === "hook.example.com") return { status: 200 };
  if (hostname === "ntfy.example.com")
    return Buffer.byteLength(received.body) > 4096 ? json(413, { code: 41_301 }) : json(200, { id: "1" });
  return { status: 404 };
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Readonly<Record<string, unknown>>;
  } catch {
    // A form or a plain text.
    return {};
  }
}
