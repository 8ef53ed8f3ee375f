import { decodePercent, decodeQuery } from "./percent.ts";
import { reject } from "./problem.ts";

/**
 * A URL as Go's `net/url` reads it, which is what users' notification URLs are written for. It differs from WHATWG's:
 * the host keeps its case, dot segments stay, user info ends at the last `@`, and more is refused than repaired.
 */
export interface GoUrl {
  /** Lower case: `ntfy`, `generic+https`. */
  readonly scheme: string;
  /** Nothing follows the colon that begins with a slash (`logger:`): no host and no path. */
  readonly isOpaque: boolean;
  /** Decoded; undefined without user info. */
  readonly user: string | undefined;
  /** Decoded; undefined without a colon in the user info, which differs from an empty one. */
  readonly password: string | undefined;
  /** With port, as written. */
  readonly host: string;
  /** Without port, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number | undefined;
  /** Decoded; `""` and `/` differ. */
  readonly path: string;
  /** As written. */
  readonly rawPath: string;
  /** Decoded, in the order of the URL, repetitions included. */
  readonly query: readonly (readonly [key: string, value: string])[];
  /** As written, without the question mark; undefined without one. */
  readonly rawQuery: string | undefined;
  /** Decoded. */
  readonly fragment: string;
}

const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
const HOST = /^[A-Za-z0-9\u0080-\u{10ffff}\-_.~!$&'()*+,;=:[\]<>"%]*$/u;

/** @throws UrlProblem that never holds a piece of the URL */
export function parseGoUrl(text: string): GoUrl {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) reject("has a control character (a tab or line break) in it");
  const [beforeFragment, rawFragment = ""] = cut(text, "#");
  const [, scheme = "", rest = ""] = /^([A-Za-z][A-Za-z0-9+\-.]*):(.*)$/.exec(beforeFragment) ?? [];
  if (scheme === "") reject("does not begin with a service and a colon, as in slack://");
  const [beforeQuery, rawQuery] = cut(rest, "?");
  const isOpaque = !beforeQuery.startsWith("/");
  const { authority, rawPath } = isOpaque ? { authority: "", rawPath: "" } : splitAuthority(beforeQuery);
  const at = authority.lastIndexOf("@");
  return {
    scheme: scheme.toLowerCase(),
    isOpaque,
    ...(at < 0 ? { user: undefined, password: undefined } : readUserInfo(authority.slice(0, at))),
    ...readHost(authority.slice(at + 1)),
    path: decodePercent(rawPath, "path"),
    rawPath,
    query: readQuery(rawQuery ?? ""),
    rawQuery,
    fragment: decodePercent(rawFragment, "fragment"),
  };
}

/** The parts before and after the first separator; the second is undefined without one. */
function cut(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function splitAuthority(text: string): { readonly authority: string; readonly rawPath: string } {
  if (!text.startsWith("//")) return { authority: "", rawPath: text };
  const slash = text.indexOf("/", 2);
  return slash < 0
    ? { authority: text.slice(2), rawPath: "" }
    : { authority: text.slice(2, slash), rawPath: text.slice(slash) };
}

function readUserInfo(text: string): Pick<GoUrl, "user" | "password"> {
  if (!USER_INFO.test(text)) reject("has a character in the user name or password that must be percent-encoded");
  const [user, password] = cut(text, ":");
  return {
    user: decodePercent(user, "user name"),
    password: password === undefined ? undefined : decodePercent(password, "password"),
  };
}

function readHost(text: string): Pick<GoUrl, "host" | "hostname" | "port"> {
  if (!HOST.test(text)) reject("has a character in the host that does not belong there");
  // Go takes escapes of bytes beyond ASCII only.
  if (/%(?![89a-fA-F][0-9a-fA-F])/.test(text.replace(/^\[[^\]]*\]/, ""))) reject("has a percent escape in the host");
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text);
  if (text.includes("[") && bracketed === null) reject("has an unfinished [ ] in the host");
  const colon = text.lastIndexOf(":");
  const [hostname, port] =
    bracketed !== null
      ? [bracketed[1] ?? "", bracketed[2]]
      : colon < 0
        ? [text, undefined]
        : [text.slice(0, colon), text.slice(colon + 1)];
  return { host: text, hostname, port: readPort(port) };
}

/** A slash, question mark or hash in a password ends the host early, and then it looks like a port. */
function readPort(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    reject("has a port that is no number from 1 to 65535 (in a password / ? # must be percent-encoded)");
  return port;
}

function readQuery(text: string): readonly (readonly [string, string])[] {
  return text
    .split("&")
    .filter((piece) => piece !== "")
    .map((piece) => {
      const [key, value = ""] = cut(piece, "=");
      return [decodeQuery(key, "query"), decodeQuery(value, "query")] as const;
    });
}

/** The parts between the slashes of a path, without the empty one in front. */
export function pathParts(path: string): readonly string[] {
  const parts = path.split("/");
  return parts[0] === "" ? parts.slice(1) : parts;
}

/** The host with port as it goes into a request. @throws UrlProblem without one, or with one that can't be reached */
export function requireHost(url: GoUrl): string {
  const host = requireHostText(url);
  if (!URL.canParse(`http://${host}/`)) reject("has a host that is neither a name nor an address");
  return host;
}

/** The same of services that have a key where the host belongs. */
export function requireHostText(url: GoUrl): string {
  if (url.hostname === "") reject("has no host");
  return url.host.replace(/:$/, "");
}
