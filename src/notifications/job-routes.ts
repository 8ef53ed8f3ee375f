import type { NotificationLevel } from "../contracts/notification.ts";
import type { Values } from "../contracts/setting.ts";
import { type ParsedRoutes, parseRoutes, type Route } from "./routes.ts";
import {
  EMAIL_NOTIFICATION_RECIPIENT,
  EMAIL_NOTIFICATION_SENDER,
  EMAIL_SMTP_HOST,
  EMAIL_SMTP_PASSWORD,
  EMAIL_SMTP_PORT,
  EMAIL_SMTP_USERNAME,
  NOTIFICATION_LEVEL,
  NOTIFICATION_URLS,
  NOTIFICATION_URLS_ERROR,
  NOTIFICATION_URLS_INFO,
} from "./settings.ts";

/** A route of a job and what it is told. */
export interface JobRoute extends Route {
  /** `error`: only what goes wrong; `info`: everything. */
  readonly level: NotificationLevel;
}

export interface JobRoutes extends ParsedRoutes {
  readonly routes: readonly JobRoute[];
}

/** Everyone whom a job tells, from all of its settings. A URL that stands in two of them is told once. */
export function jobRoutes(values: Values): JobRoutes {
  const level = values.get(NOTIFICATION_LEVEL) === "info" ? "info" : "error";
  const email = emailUrl(values);
  const lists: readonly Source[] = [
    { key: NOTIFICATION_URLS.key, urls: values.get(NOTIFICATION_URLS) ?? [], level },
    { key: NOTIFICATION_URLS_ERROR.key, urls: values.get(NOTIFICATION_URLS_ERROR) ?? [], level: "error" },
    { key: NOTIFICATION_URLS_INFO.key, urls: values.get(NOTIFICATION_URLS_INFO) ?? [], level: "info" },
    { key: EMAIL_NOTIFICATION_RECIPIENT.key, urls: email === undefined ? [] : [email], level },
  ];
  const read = lists.map(readSource);
  const byId = new Map<string, JobRoute>();
  for (const route of read.flatMap(({ routes }) => routes)) {
    const known = byId.get(route.id);
    if (known === undefined || known.level === "error")
      byId.set(route.id, known === undefined ? route : { ...known, level: route.level });
  }
  return {
    routes: [...byId.values()],
    problems: read.flatMap(({ problems }) => problems),
    warnings: read.flatMap(({ warnings }) => warnings),
  };
}

interface Source {
  readonly key: string;
  readonly urls: readonly string[];
  readonly level: NotificationLevel;
}

/** Names which list it is, where it is not the usual one. */
function readSource({ key, urls, level }: Source): JobRoutes {
  const isUsual = key === NOTIFICATION_URLS.key;
  const { routes, problems, warnings } = parseRoutes(urls);
  const named = (texts: readonly string[]): readonly string[] => texts.map((text) => `${key}: ${text}`);
  return {
    routes: routes.map((route) => ({ ...route, level, label: isUsual ? route.label : `${route.label} of ${key}` })),
    problems: named(problems),
    warnings: named(warnings),
  };
}

/**
 * The one smtp URL that the deprecated mail settings mean. Their values are taken as they stand; the image that Lifeboat
 * replaces built the URL without escaping anything.
 */
export function emailUrl(values: Values): string | undefined {
  const recipient = values.get(EMAIL_NOTIFICATION_RECIPIENT);
  const host = values.get(EMAIL_SMTP_HOST);
  if (!values.isSet(EMAIL_NOTIFICATION_RECIPIENT) || recipient === undefined || host === undefined) return undefined;
  const user = values.get(EMAIL_SMTP_USERNAME) ?? "";
  const password = values.get(EMAIL_SMTP_PASSWORD) ?? "";
  const part = encodeURIComponent;
  const userInfo = user === "" ? "" : `${part(user)}:${part(password)}@`;
  const address = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const query = `fromaddress=${part(values.get(EMAIL_NOTIFICATION_SENDER))}&toaddresses=${part(recipient)}`;
  return `smtp://${userInfo}${address}:${values.get(EMAIL_SMTP_PORT)}/?${query}`;
}
