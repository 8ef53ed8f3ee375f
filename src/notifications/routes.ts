import { createHash } from "node:crypto";
import type { OpenService, Registered } from "./service.ts";
import { services } from "./services/index.ts";
import { type GoUrl, parseGoUrl } from "./url/go-url.ts";
import { reject, UrlProblem } from "./url/problem.ts";
import { splitUrls } from "./url/split-list.ts";

/** One usable notification URL. */
export interface Route {
  /** Stays the same while the URL does; a digest of it. */
  readonly id: string;
  /** `ntfy 2`: the scheme and the place in its list, never the URL. */
  readonly label: string;
  readonly service: OpenService;
  /** All texts of the URL that no message may hold. */
  readonly secrets: readonly string[];
}

export interface ParsedRoutes {
  readonly routes: readonly Route[];
  /** Why others can't be used; `URL 2 of 3 (ntfy): has no topic…`. No secrets. */
  readonly problems: readonly string[];
  /** What is to be known about usable ones, in the same form. */
  readonly warnings: readonly string[];
}

/** Reads a setting's list of URLs. A bad one never keeps the others from working. */
export function parseRoutes(list: string | readonly string[]): ParsedRoutes {
  const urls = splitUrls(typeof list === "string" ? list : list.join(","), (url) => tryOpen(url).service !== undefined);
  const routes: Route[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [index, url] of urls.entries()) {
    const position = index + 1;
    const { scheme, service, secrets, problem } = tryOpen(url);
    const place = `URL ${position} of ${urls.length}${scheme === "" ? "" : ` (${scheme})`}`;
    if (service === undefined) {
      problems.push(`${place}: ${problem ?? "can't be used"}`);
      continue;
    }
    warnings.push(...service.warnings.map((warning) => `${place}: ${warning}`));
    routes.push({ id: idOf(url), label: `${scheme} ${position}`, service, secrets });
  }
  return { routes, problems, warnings };
}

function idOf(url: string): string {
  return createHash("sha256").update(url).digest("hex").slice(0, 16);
}

interface Opened {
  /** As far as it can be shown. */
  readonly scheme: string;
  readonly service?: OpenService;
  readonly secrets: readonly string[];
  readonly problem?: string;
}

function tryOpen(text: string): Opened {
  let scheme = shownScheme(text);
  try {
    const url = parseGoUrl(text);
    const { registered, form, inner } = find(url, text);
    scheme = url.scheme.split("+")[0] ?? "";
    const service = registered.open(inner, form);
    return { scheme, service, secrets: [...service.secrets, ...secretsOf(inner), text] };
  } catch (error) {
    if (!(error instanceof UrlProblem)) throw error;
    return { scheme, secrets: [], problem: error.message };
  }
}

/** Only a word: what stands before the first colon may be half of a pasted token. */
function shownScheme(text: string): string {
  return /^([a-z]{1,15}(?:\+[a-z]{1,8})?):/i.exec(text)?.[1]?.toLowerCase() ?? "";
}

/** The service of a URL. `name+scheme://…` is read without its name, for the services that have such a form. */
function find(url: GoUrl, text: string): { registered: Registered; form: "own" | "custom"; inner: GoUrl } {
  const [name = "", custom] = url.scheme.split(/\+(.*)/s);
  const registered = services.find(({ schemes }) => schemes.includes(name));
  if (registered === undefined) {
    if (/^https?$/.test(name)) reject(`is a web address; for a webhook write generic+${name}://`);
    const known = services.flatMap(({ schemes }) => schemes);
    return reject(`no service is called so; there are ${known.toSorted().join(", ")}`);
  }
  if (custom === undefined) return { registered, form: "own", inner: url };
  if (!registered.hasCustomForm) reject(`${name} has no form with +`);
  return { registered, form: "custom", inner: parseGoUrl(text.slice(name.length + 1)) };
}

/** Shorter values are words, switches and numbers; masking them would garble every message. */
const SHORTEST_HIDDEN = 6;

/** User info, the query's values and the path's parts as written and decoded; services add what they know to be secret. */
function secretsOf({ user = "", password = "", query, path, rawPath, rawQuery = "" }: GoUrl): string[] {
  const parts = [user, ...query.map(([, value]) => value), ...path.split("/"), ...rawPath.split("/"), rawQuery].filter(
    (part) => part.length >= SHORTEST_HIDDEN && !/^[a-z]+$/i.test(part),
  );
  return password === "" ? parts : [password, `${user}:${password}`, ...parts];
}
