import type { Setting } from "../contracts/setting.ts";

/** What a setting's raw text adds to the texts that must never be shown. */
export function secretsIn(setting: Setting, text: string): string[] {
  if (text === "") return [];
  if (setting.secret !== true) return passwordsOfUrls(text);
  const urls = setting.kind === "urls" ? text.split(",").map((url) => url.trim()) : [];
  const secrets = [text, ...urls, ...passwordsOfUrls(text), ...connectionStringKeys(text), ...jsonKeys(text)];
  // JSON can spell half a character, which no output ever holds.
  return secrets.filter((secret) => secret !== "" && secret.isWellFormed());
}

/** User info as it is written and, decoded, as a library may print it. */
function passwordsOfUrls(text: string): string[] {
  const found: string[] = [];
  for (const [, userInfo = ""] of text.matchAll(/[a-z][a-z0-9+.-]{0,30}:\/\/([^\s/?#,]*)@/gi)) {
    const colon = userInfo.indexOf(":");
    const secret = colon < 0 ? userInfo : userInfo.slice(colon + 1);
    found.push(userInfo, secret, decoded(secret));
  }
  return found.filter((secret) => secret !== "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A bad escape: nothing would decode it, so there is no decoded form to hide.
    return text;
  }
}

/** `AccountKey=...;SharedAccessSignature=...` of an Azure connection string. */
function connectionStringKeys(text: string): string[] {
  return [...text.matchAll(/(?:AccountKey|SharedAccessSignature)=([^;]+)/gi)].map(([, key = ""]) => key);
}

/** Strings inside credentials JSON, whatever they are called, that are long enough to be keys. */
function jsonKeys(text: string): string[] {
  if (!text.trimStart().startsWith("{")) return [];
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([name, part]) =>
      typeof part === "string" && /key|secret|token|password/i.test(name) ? [part] : [],
    );
  } catch {
    // Not JSON: the whole text is a secret already.
    return [];
  }
}
