import { parseCron } from "../../src/golang/cron.ts";

/**
 * Where Lifeboat deliberately does not do what the recordings show. A case that an entry covers must differ, and in the
 * project's own copy of the recordings each entry must cover at least one case: an entry that has lost its reason fails.
 */
export interface Deviation {
  readonly file: "bool" | "cron" | "duration" | "envfile" | "re2" | "strftime";
  readonly reason: string;
  /** Whether it covers the case with this input (the expression, pattern, format, …). */
  covers(input: string): boolean;
}

export const deviations: readonly Deviation[] = [
  {
    file: "cron",
    reason: "7 is Sunday in every other cron, so it is taken as a day of the week; robfig/cron refuses it",
    covers: (expression) => namesDaySeven(expression),
  },
];

export function deviationFor(file: Deviation["file"], input: string): Deviation | undefined {
  return deviations.find((deviation) => deviation.file === file && deviation.covers(input));
}

/** A day 7 in the last field, alone or as the end of a range, and nothing else that would be wrong. */
function namesDaySeven(expression: string): boolean {
  const [, before = "", weekdays = ""] = /^(.*\s)(\S+)\s*$/.exec(expression) ?? [];
  const withoutSeven = weekdays.replaceAll(/(?<=^|,)7(?:-7)?(?=,|$)/g, "0").replaceAll(/-7(?=,|\/|$)/g, "-6");
  if (withoutSeven === weekdays) return false;
  try {
    parseCron(`${before}${withoutSeven}`, "UTC");
    return true;
  } catch {
    // Wrong in another way as well: the recording and Lifeboat both refuse it.
    return false;
  }
}
