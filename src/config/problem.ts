/** Something that the user should know about the configuration. Never holds a secret. */
export interface Problem {
  /** `error`: the job does not run; `warning`: worth a log line; `note`: shown by `check` only. */
  readonly severity: "error" | "warning" | "note";
  /** Path of the config file; absent: the process environment, or the configuration as a whole. */
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  readonly key?: string;
  /** Lower case, concrete, without file, line and key. */
  readonly message: string;
}

const RANK = { error: 0, warning: 1, note: 2 } as const;

/** By file and line, what stands in no file first; within a line the gravest first. */
export function inReadingOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) =>
      compare(a.file ?? "", b.file ?? "") ||
      (a.line ?? 0) - (b.line ?? 0) ||
      RANK[a.severity] - RANK[b.severity] ||
      compare(a.key ?? "", b.key ?? ""),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Without repetitions: many files that fall back to one bad variable of the environment report it once. */
export function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ severity, file, line, key, message }) => {
    const identity = JSON.stringify([severity, file, line, key, message]);
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}
