import type { Setting } from "../contracts/setting.ts";
import { printablePath } from "../lib/printable.ts";

export const MASK = "***";

/** `https://user:pass@host/` -> `https://***@host/`, for every URL in a text; a password may hold `@`. */
export function maskUserInfo(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/?#,]*)@/gi, `$1${MASK}@`);
}

const LONGEST_SHOWN = 40;

/** What a message may say of a bad value: ` ("value")` on one line and shortened, or nothing where it may be secret. */
export function quoteValue(setting: Setting, value: string): string {
  if (setting.secret === true || setting.kind === "pem" || looksSecret(value)) return "";
  // Only the first line: a quote that was not closed makes the lines below, secrets among them, part of the value.
  const [line = ""] = value.split(/[\r\n]/, 1);
  const short = printablePath(line.slice(0, LONGEST_SHOWN).toWellFormed());
  return ` (it is "${short}${value.length > Math.min(line.length, LONGEST_SHOWN) ? "..." : ""}")`;
}

/** A whole value as `print-config` shows it. */
export function showValue(setting: Setting, value: string): string {
  if (value === "") return "";
  if (setting.secret === true || /PRIVATE KEY|AGE-SECRET-KEY-/i.test(value)) return MASK;
  return maskUserInfo(value);
}

/** A key pasted into the wrong variable, or a URL that may hold a password, is better not quoted. */
function looksSecret(value: string): boolean {
  return (value.includes("@") && /[:/]/.test(value)) || /PRIVATE KEY|AGE-SECRET-KEY-/i.test(value);
}
