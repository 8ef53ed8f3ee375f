import { childOf, childrenOf, parseXml, type XmlElement } from "./xml.ts";

/** One resource, as a server's answer to PROPFIND describes it. */
export interface Resource {
  /** Decoded path components below the server's root. */
  readonly path: readonly string[];
  readonly isCollection: boolean;
  /** Undefined where the server does not say. */
  readonly sizeBytes: number | undefined;
  /** Milliseconds since the epoch; undefined where the server does not say. */
  readonly modifiedAt: number | undefined;
  /** Bytes that may still be stored (RFC 4331); undefined: unknown or without limit. */
  readonly freeBytes: number | undefined;
}

/** What is asked for; naming it keeps answers small. */
export const PROPFIND_BODY = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:quota-available-bytes/></D:prop></D:propfind>
`;

/**
 * The resources of a `multistatus` answer; undefined where the text is none. Those with a status of their own that is no
 * success, and those whose address can't be decoded, are left out. `requestPath`: what relative addresses begin at.
 */
export function parseMultistatus(text: string, requestPath: string): readonly Resource[] | undefined {
  const root = parseXml(text);
  if (root?.name !== "multistatus") return undefined;
  return childrenOf(root, "response")
    .map((response) => resourceOf(response, requestPath))
    .filter((resource) => resource !== undefined);
}

function resourceOf(response: XmlElement, requestPath: string): Resource | undefined {
  const path = decodeHref(childOf(response, "href")?.text.trim() ?? "", requestPath);
  if (path === undefined || !isSuccess(childOf(response, "status")?.text)) return undefined;
  // A server may say in several groups what it has and what it has not, in any order.
  const properties = childrenOf(response, "propstat")
    .filter((group) => isSuccess(childOf(group, "status")?.text))
    .flatMap((group) => childrenOf(group, "prop"))
    .flatMap((group) => group.children);
  const textOf = (name: string): string => properties.find((property) => property.name === name)?.text.trim() ?? "";
  const modifiedAt = timeOf(textOf("getlastmodified"));
  return {
    path,
    isCollection: properties.some(
      ({ name, children }) => name === "resourcetype" && children.some((type) => type.name === "collection"),
    ),
    sizeBytes: countOf(textOf("getcontentlength")),
    modifiedAt: Number.isNaN(modifiedAt) ? undefined : modifiedAt,
    freeBytes: countOf(textOf("quota-available-bytes")),
  };
}

/** Absent counts as success: only what is said to have failed has. */
function isSuccess(statusLine: string | undefined): boolean {
  const code = /^\s*HTTP\/\S+\s+(\d{3})/i.exec(statusLine ?? "")?.[1];
  return code === undefined || code.startsWith("2");
}

/** HTTP knows three forms of a date, and servers know more; one that names no zone is in GMT. */
function timeOf(text: string): number {
  const namesZone = /[a-z]$|[+-]\d\d:?\d\d$/i.test(text);
  return Date.parse(namesZone ? text : `${text}${text.includes("T") && text.includes("-") ? "Z" : " GMT"}`);
}

function countOf(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** An address is a whole URL, a path from the root, or relative. Not left to `URL`, which mends what must stay as it is. */
function decodeHref(href: string, requestPath: string): readonly string[] | undefined {
  if (href === "") return undefined;
  const path = href.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "").replace(/[?#].*$/s, "");
  const isWhole = path.startsWith("/") || path !== href;
  const absolute = isWhole ? path : `${requestPath.replace(/[^/]*$/, "")}${path.replace(/^\.\//, "")}`;
  return decodePath(absolute);
}

export function decodePath(path: string): readonly string[] | undefined {
  try {
    return path
      .split("/")
      .filter((component) => component !== "")
      .map((component) => decodeURIComponent(component));
  } catch {
    // Not UTF-8: no name of ours.
    return undefined;
  }
}
