import type { PartSettings, RuleBreak } from "../contracts/setting.ts";
import { createValues } from "./values.ts";

type Raw = Readonly<Record<string, string>>;

/**
 * What is wrong between settings that are good each by itself: the parts' own rules, and parts that a job configures
 * although they are not built yet. A part with a wrong value is passed over, as its rules would report what follows
 * from that.
 */
export function brokenRules(
  parts: readonly PartSettings[],
  raw: Raw,
  wrongKeys: ReadonlySet<string>,
): readonly RuleBreak[] {
  const values = createValues(raw);
  const breaks: RuleBreak[] = [];
  for (const part of parts) {
    const isWrong = part.settings.some(({ key }) => wrongKeys.has(key) || wrongKeys.has(`${key}_FILE`));
    if (!isWrong) breaks.push(...(part.rules?.(values) ?? []));
    if (part.notBuilt !== undefined && part.isConfigured?.(values) === true) {
      breaks.push({ key: switchOf(part, raw), severity: "error", message: part.notBuilt });
    }
  }
  const destinations = parts.filter((part) => part.target !== undefined);
  if (!destinations.some((part) => part.isConfigured?.(values) === true)) {
    breaks.push({
      key: "BACKUP_ARCHIVE",
      severity: "warning",
      message:
        "is empty and no other destination is configured, so runs will fail: there is nowhere to store an archive",
    });
  }
  return breaks;
}

/** The key that configures a part: alone it would do so too; else the first of it that is set. */
function switchOf(part: PartSettings, raw: Raw): string {
  const present = part.settings.filter(({ key }) => (raw[key] ?? "") !== "");
  const alone = present.find(({ key }) => part.isConfigured?.(createValues({ [key]: raw[key] ?? "" })) === true);
  return (alone ?? present[0] ?? part.settings[0])?.key ?? part.part;
}
