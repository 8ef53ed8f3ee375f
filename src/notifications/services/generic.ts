import { type HttpRequest, httpService } from "../service.ts";
import { basicAuth, titleOf } from "../requests.ts";
import { type GoUrl, pathParts, requireHost } from "../url/go-url.ts";
import { encodeForm } from "../url/percent.ts";
import { flag, readProps, text, type PropValues } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

const PROPS = {
  contenttype: text(),
  disabletls: flag(false),
  template: text(),
  title: text(),
  titlekey: text("title"),
  messagekey: text("message"),
  method: text("POST"),
};

/** Keys count as written here: what is no property belongs to the target. These spellings were documented. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ...Object.keys(PROPS).map((name) => [name, name] as const),
  ["titleKey", "titlekey"],
  ["messageKey", "messagekey"],
  ["contentType", "contenttype"],
  ["disableTLS", "disabletls"],
]);

/** Properties of the custom form, and only of one that asks for a template: else the whole query is the target's. */
const CUSTOM_PROPS = new Set(["template", "titlekey", "messagekey", "contenttype", "method"]);

/** Shorter parts are words such as `api`; masking them would garble every answer. */
const SHORTEST_HIDDEN = 6;

interface Config {
  readonly target: string;
  /** What the target is reached with: all of it may be a secret. */
  readonly targetParts: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly extra: Readonly<Record<string, string>>;
  readonly isJson: boolean;
  readonly props: PropValues<typeof PROPS>;
}

/** Any webhook: the text, or an object with title and message, to a URL of the user's choice. */
export const generic = httpService<Config>({
  name: "generic",
  schemes: ["generic"],
  parse: (url) => configOf(url, (key) => SPELLINGS.get(key)),
  parseCustom(inner) {
    const isTemplated = inner.query.some(([key, value]) => key === "template" && value.toLowerCase() === "json");
    const config = configOf(inner, (key) => {
      const name = SPELLINGS.get(key);
      return isTemplated && name !== undefined && CUSTOM_PROPS.has(name) ? name : undefined;
    });
    return inner.scheme === "http" ? { ...config, target: config.target.replace(/^https:/, "http:") } : config;
  },
  secrets: ({ targetParts, headers, extra }) => [...targetParts, ...Object.values(headers), ...Object.values(extra)],
  requests: (config, message) => [requestOf(config, message)],
});

function configOf(url: GoUrl, propOf: (key: string) => string | undefined): Config {
  const headers: Record<string, string> = {};
  const extra: Record<string, string> = {};
  const forwarded: (readonly [string, string])[] = [];
  const ownQuery: (readonly [string, string])[] = [];
  const once = (into: Record<string, string>, key: string, value: string): void => {
    if (!Object.hasOwn(into, key)) into[key] = value;
  };
  for (const [key, value] of url.query) {
    const name = propOf(key);
    if (key === "") reject("has a query value without a key");
    else if (/^@./s.test(key)) once(headers, headerName(key.slice(1)), value);
    else if (/^\$./s.test(key)) once(extra, key.slice(1), value);
    else if (name !== undefined) ownQuery.push([name, value]);
    else if (key.startsWith("__") && SPELLINGS.has(key.slice(2))) forwarded.push([key.slice(2), value]);
    else forwarded.push([key, value]);
  }
  const props = readProps({ ...url, query: ownQuery }, PROPS);
  if (!/^(?:json)?$/i.test(props.template)) reject("template must be json, or absent for the plain text");
  if (!/^[A-Za-z]+$/.test(props.method)) reject("method must be an HTTP method such as POST");
  const query = encodeForm(forwarded.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  const target = `${props.disabletls ? "http" : "https"}://${requireHost(url)}${url.rawPath}${query === "" ? "" : `?${query}`}`;
  if (!URL.canParse(target)) reject("does not give a usable target");
  const credentials = url.user === undefined ? {} : basicAuth(url.user, url.password ?? "");
  const targetParts = [...pathParts(url.path), ...forwarded.map(([, value]) => value)].filter(
    (part) => part.length >= SHORTEST_HIDDEN,
  );
  return {
    target,
    targetParts,
    headers: { ...credentials, ...headers },
    extra,
    isJson: props.template !== "",
    props,
  };
}

/** `userAgent` -> `User-Agent`. */
function headerName(key: string): string {
  const dashed = key.replaceAll(/(?<=[^-])(?=[A-Z])/g, "-").replaceAll(/(^|-)([a-z])/g, (found) => found.toUpperCase());
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(dashed) ? dashed : reject("has a header name (after @) that is none");
}

function requestOf({ target, headers, extra, isJson, props }: Config, message: NotificationMessage): HttpRequest {
  const title = titleOf(message, props.title);
  const type = props.contenttype !== "" ? props.contenttype : isJson ? "application/json" : "text/plain; charset=utf-8";
  const object = {
    ...(title === "" ? {} : { [props.titlekey]: title }),
    [props.messagekey]: message.body,
    ...extra,
  };
  return {
    secretHeaders: Object.keys(headers).filter((name) => !/^(?:content-type|accept|user-agent)$/i.test(name)),
    method: props.method,
    url: target,
    headers: {
      "Content-Type": type,
      Accept: props.contenttype === "" ? "application/json" : props.contenttype,
      ...headers,
    },
    body: isJson ? JSON.stringify(object) : message.body,
  };
}
