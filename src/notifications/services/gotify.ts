import { type HttpRequest, httpService } from "../service.ts";
import { postJson, refusesWithoutBody, titleOf } from "../requests.ts";
import { pathParts, requireHost } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { flag, integer, parsed, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

const PROPS = {
  title: text("Shoutrrr notification"),
  priority: integer(0, -(2 ** 31), 2 ** 31 - 1),
  disabletls: flag(false),
  insecureskipverify: flag(false),
  useheader: flag(false),
  date: text(),
  extras: parsed<object | undefined>(undefined, (given) => {
    try {
      const value: unknown = JSON.parse(given || "null");
      if (value === null) return undefined;
      if (typeof value === "object" && !Array.isArray(value)) return value;
    } catch {
      // Said below, without what was written.
    }
    return reject("must be a JSON object");
  }),
};

const TOKEN = /^(?:A[A-Za-z0-9.\-_]{14}|gtfy[^.]\..{43,})$/;

interface Config {
  readonly endpoint: string;
  readonly token: string;
  readonly props: PropValues<typeof PROPS>;
}

export const gotify = httpService<Config>({
  name: "gotify",
  schemes: ["gotify"],
  parse(url) {
    const props = readProps(url, PROPS);
    const host = requireHost(url);
    const parts = pathParts(url.path.replace(/\/$/, ""));
    const token = parts.at(-1) ?? "";
    if (!TOKEN.test(token))
      reject("has no application token at its end: 15 characters that begin with A, or one that begins with gtfy");
    const subPath = pathParts(url.rawPath.replace(/\/$/, ""))
      .slice(0, -1)
      .filter((part) => part !== "")
      .map((part) => `/${part}`)
      .join("");
    return { endpoint: `${props.disabletls ? "http" : "https"}://${host}${subPath}/message`, token, props };
  },
  secrets: ({ token }) => [token],
  warnings: ({ props: { date } }) =>
    date !== "" && dateOf(date) === undefined
      ? ["date is none such as 2026-01-02T03:04:05Z, with which the server would refuse the message; it is left out"]
      : [],
  requests: (config, message) => [requestOf(config, message)],
  refusal: refusesWithoutBody,
});

function requestOf({ endpoint, token, props }: Config, message: NotificationMessage): HttpRequest {
  const { priority, extras } = props;
  const date = dateOf(props.date);
  const body = {
    message: message.body,
    title: titleOf(message, props.title),
    priority,
    ...(date === undefined ? {} : { date }),
    ...(extras === undefined ? {} : { extras }),
  };
  const request = props.useheader
    ? postJson(endpoint, body, { "X-Gotify-Key": token })
    : postJson(`${endpoint}?token=${encodePart(token)}`, body);
  return { ...request, acceptsAnyCertificate: props.insecureskipverify || props.disabletls };
}

/** In the one form that the server takes; without a zone it is UTC, digits alone are Unix seconds. */
function dateOf(given: string): string | undefined {
  const [, day = "", time = "", zone = "Z"] =
    /^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?$/.exec(
      given,
    ) ?? [];
  const date = new Date(/^[0-9]{1,11}$/.test(given) ? Number(given) * 1000 : `${day}T${time}${zone}`);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace(/\.[0-9]+Z$/, "Z");
}
