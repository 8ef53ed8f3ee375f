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

/** A file with more mistakes than this is something else than an env file; nobody reads on. */
const MOST_SAID_OF_A_FILE = 20;

/** For the log, messages and the history: the gravest and first problems of each file, and how many more there are. */
export function abridged(problems: readonly Problem[]): Problem[] {
  const leftOut = new Set<Problem>();
  const more = [...Map.groupBy(problems, ({ file }) => file)].flatMap(([file, all]): Problem[] => {
    const rest = all.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]).slice(MOST_SAID_OF_A_FILE);
    for (const problem of rest) leftOut.add(problem);
    const [gravest] = rest;
    if (gravest === undefined) return [];
    const message = `has ${rest.length} more problems; lifeboat check shows them all`;
    return [{ severity: gravest.severity, ...(file === undefined ? {} : { file }), message }];
  });
  return [...problems.filter((problem) => !leftOut.has(problem)), ...more];
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
