/** Removes known secrets from any text that leaves the process. */
export interface Redactor {
  (text: string): string;
}

const SHORTEST_SECRET = 3;

/**
 * Builds a redactor for these secret values. Each is also looked for as servers echo it (percent-encoded, in JSON, in
 * HTML), as base64 and line by line; user info in URLs is masked whatever it is. Values shorter than three characters are left alone: masking them would
 * garble every message.
 */
export function createRedactor(secrets: Iterable<string>): Redactor {
  const wanted = new Set<string>();
  for (const secret of secrets) {
    for (const form of [secret, ...secret.split(/\r?\n/), secret.trim()]) {
      if (form.length < SHORTEST_SECRET) continue;
      for (const echo of echoesOf(form)) wanted.add(echo);
    }
  }
  const longestFirst = [...wanted].sort((a, b) => b.length - a.length);
  return (text) => {
    let out = text;
    for (const secret of longestFirst) {
      if (out.includes(secret)) out = out.replaceAll(secret, "***");
    }
    return maskUserInfo(out);
  };
}

/** The text itself, and how it looks within what quotes it. */
function echoesOf(text: string): readonly string[] {
  const base64 = Buffer.from(text).toString("base64");
  if (/^[\w.~-]*$/.test(text)) return [text, base64];
  const json = JSON.stringify(text).slice(1, -1);
  const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const percent = encodeURIComponent(text.toWellFormed());
  const all = percent.replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const escaped = [
    percent,
    all,
    percent.replaceAll("%20", "+"),
    all.replaceAll("%20", "+"),
    encodeURI(text.toWellFormed()),
  ];
  const html = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return [
    text,
    // As most write it, as Go does, and as PHP and Python do.
    ...[json, json.replaceAll(/[<>&]/g, escapeUnit), json.replaceAll(/[^ -~]/g, escapeUnit)].flatMap((form) => [
      form,
      form.replaceAll("/", String.raw`\/`),
    ]),
    ...escaped.flatMap((form) => [form, form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]),
    ...["&quot;", "&#34;"].map((quote) => html.replaceAll('"', quote).replaceAll("'", "&#39;")),
    html,
    base64,
  ];
}

/** `https://user:pass@host` -> `https://***@host`. */
export function maskUserInfo(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#@]*@/gi, "$1***@");
}
