import { parseCron } from "../golang/cron.ts";
import { isKnownZone } from "../golang/zone.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import type { Kind, Setting } from "../contracts/setting.ts";
import { checkFilename, type FilenameContext } from "./filename.ts";
import { readValue } from "./kinds.ts";
import { loadCertificates } from "./pem.ts";

export interface Proven {
  /** The text to keep: the given one, or the certificates that it led to. */
  readonly text: string;
  readonly warnings: readonly string[];
  /** A file that the value was read from. */
  readonly path?: string;
}

type DeepCheck = (text: string, context: FilenameContext) => Promise<Proven> | Proven;

const CHECKS: Readonly<Partial<Record<Kind, DeepCheck>>> = {
  cron: (text) => {
    wordedBy(() => parseCron(text, ""), "is not a schedule: ");
    return { text, warnings: [] };
  },
  zone: (text) => {
    if (!isKnownZone(text)) throw new UserError("is not a known time zone; write it as in Europe/Berlin");
    return { text, warnings: [] };
  },
  async regexp(text) {
    const { compileRe2 } = await import("../golang/re2.ts");
    wordedBy(() => compileRe2(text), "is not a regular expression that Go understands: ");
    return { text, warnings: [] };
  },
  filename(text, context) {
    const { error, warnings } = checkFilename(text, context);
    if (error !== undefined) throw new UserError(error);
    return { text, warnings };
  },
  async pem(text) {
    return { ...(await loadCertificates(text)), warnings: [] };
  },
};

/**
 * Reads a text as its kind says and proves what only a library can prove.
 * @throws UserError without the value of a secret
 */
export async function proveValue(setting: Setting, text: string, context: FilenameContext): Promise<Proven> {
  const value = readValue(setting, text);
  const check = CHECKS[setting.kind];
  if (check === undefined) return { text, warnings: (await setting.prove?.(value)) ?? [] };
  if (setting.kind !== "pem" && text.length > LONGEST_EXPRESSION)
    throw new UserError(`is longer than ${LONGEST_EXPRESSION} characters`);
  return check(typeof value === "string" ? value : text, context);
}

/** Nobody writes more; what reads them need not be quick on megabytes. */
const LONGEST_EXPRESSION = 32_768;
const LONGEST_REASON = 160;

function wordedBy(parse: () => unknown, prefix: string): void {
  try {
    parse();
  } catch (error) {
    throw new UserError(`${prefix}${messageOf(error).slice(0, LONGEST_REASON)}`, { cause: error });
  }
}
