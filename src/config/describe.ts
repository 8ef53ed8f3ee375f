import { printablePath } from "../lib/printable.ts";
import type { Problem } from "./problem.ts";

/** One line for each problem: `/config/site.env:3: BACKUP_CRON_EXPRESSION: ...`, each on one line, safe to print. */
export function describeProblems(problems: readonly Problem[]): string[] {
  return problems.map(describeProblem);
}

function describeProblem({ file, line, key, message }: Problem): string {
  const place =
    file === undefined
      ? key === undefined
        ? ""
        : "environment: "
      : `${file}${line === undefined ? "" : `:${line}`}: `;
  return printablePath(`${place}${key === undefined ? "" : `${key}: `}${message}`);
}
