/** The last lines of a log, kept for a message about what it tells of. Bounded, however much is logged. */
export interface LogTail {
  /** Takes a line as it was written. */
  add(line: string): void;
  /** Lines begin anew: what was kept belongs to something earlier. */
  clear(): void;
  lines(): readonly string[];
}

const MOST_LINES = 400;
const LONGEST_LINE = 2_000;

export function createLogTail(): LogTail {
  let kept: string[] = [];
  return {
    add(line) {
      kept.push(line.slice(0, LONGEST_LINE));
      if (kept.length > 2 * MOST_LINES) kept = kept.slice(-MOST_LINES);
    },
    clear() {
      kept = [];
    },
    lines: () => kept.slice(-MOST_LINES),
  };
}
