/** Removes known secrets from any text that leaves the process. */
export interface Redactor {
  (text: string): string;
}

const SHORTEST_SECRET = 3;

/**
 * Builds a redactor for these secret values. Each is also looked for percent-encoded, as base64 and line by line; user
 * info in URLs is masked whatever it is. Values shorter than three characters are left alone: masking them would
 * garble every message.
 */
export function createRedactor(secrets: Iterable<string>): Redactor {
  const wanted = new Set<string>();
  for (const secret of secrets) {
    for (const form of [secret, ...secret.split(/\r?\n/), secret.trim()]) {
      if (form.length < SHORTEST_SECRET) continue;
      wanted.add(form);
      wanted.add(encodeURIComponent(form));
      wanted.add(Buffer.from(form).toString("base64"));
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

/** `https://user:pass@host` -> `https://***@host`. */
export function maskUserInfo(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#@]*@/gi, "$1***@");
}
