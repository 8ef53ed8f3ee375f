import { type HttpRequest, httpService } from "../service.ts";
import { nonEmpty, onOneLine, postJson, titleOf } from "../requests.ts";
import { cutText } from "../cut.ts";
import { choice, parsed, type PropValues, readProps, splitList, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

type JsonObject = Readonly<Record<string, unknown>>;

const PROPS = {
  severity: choice(["critical", "error", "warning", "info"], "error"),
  source: text("default"),
  action: choice(["trigger", "acknowledge", "resolve"], "trigger"),
  dedup_key: text(),
  details: parsed<JsonObject>({}, readDetails),
  contexts: parsed<readonly JsonObject[]>([], readContexts),
  client: text(),
  client_url: text(),
  title: text(),
};

const SUMMARY_CHARACTERS = 1024;
/** An event may have 512 kB in all. */
const BODY_CHARACTERS = 60_000;

interface Config {
  readonly endpoint: string;
  readonly key: string;
  readonly props: PropValues<typeof PROPS>;
}

export const pagerduty = httpService<Config>({
  name: "pagerduty",
  schemes: ["pagerduty"],
  parse(url) {
    const props = readProps(url, PROPS);
    const key = url.path.replace(/^\//, "");
    if (!/^[0-9a-f]{32}$/i.test(key)) reject("has no integration key of 32 hexadecimal digits: write pagerduty:///KEY");
    const host = url.hostname === "" ? "events.pagerduty.com" : url.hostname;
    const bracketed = host.includes(":") ? `[${host}]` : host;
    return { endpoint: `https://${bracketed}:${url.port ?? 443}/v2/enqueue`, key, props };
  },
  secrets: ({ key }) => [key],
  requests: (config, message) => [requestOf(config, message)],
});

function requestOf({ endpoint, key, props }: Config, message: NotificationMessage): HttpRequest {
  const title = titleOf(message, props.title);
  const { severity, source, dedup_key, client, client_url, contexts } = props;
  return postJson(endpoint, {
    routing_key: key,
    event_action: props.action,
    ...nonEmpty({ dedup_key, client, client_url }),
    payload: {
      summary: cutText(title === "" ? onOneLine(message.body) || "(no text)" : onOneLine(title), SUMMARY_CHARACTERS),
      severity,
      source,
      custom_details: { message: cutText(message.body, BODY_CHARACTERS), ...props.details },
    },
    ...(contexts.length === 0
      ? {}
      : {
          links: contexts.filter(({ type }) => type === "link").map(withoutType),
          images: contexts.filter(({ type }) => type === "image").map(withoutType),
        }),
  });
}

function withoutType(context: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(context).filter(([name]) => name !== "type"));
}

function readDetails(given: string): JsonObject {
  if (given === "") return {};
  const value = parseJson(given);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : reject("must be a JSON object");
}

/** `link:https://…,image:https://…`, or the same as a JSON array. */
function readContexts(given: string): readonly JsonObject[] {
  const value = parseJson(given);
  const contexts: readonly JsonObject[] = Array.isArray(value)
    ? (value as JsonObject[])
    : splitList(given).flatMap((entry) => {
        const [, type = "", address = ""] = /^(link|image|text):\s*(.+)$/.exec(entry) ?? [];
        if (type === "") reject("must be entries such as link:https://… or image:https://…");
        return type === "text" ? [] : [type === "link" ? { type, href: address } : { type, src: address }];
      });
  for (const context of contexts) {
    const address =
      context["type"] === "link" ? context["href"] : context["type"] === "image" ? context["src"] : undefined;
    if (typeof address !== "string" || address === "") reject("must be links with href and images with src");
  }
  return contexts;
}

function parseJson(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    // The caller knows what else it may be.
    return undefined;
  }
}
