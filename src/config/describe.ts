import { printablePath } from "../lib/printable.ts";
import { abridged, type Problem } from "./problem.ts";

/** One line for each problem: `/config/site.env:3: BACKUP_CRON_EXPRESSION: ...`, each on one line, safe to print. */
export function describeProblems(problems: readonly Problem[]): string[] {
  return problems.map(describeProblem);
}

/** What keeps a job from running: the first of it, where there is much. */
export function describeErrors(problems: readonly Problem[]): string[] {
  return describeProblems(abridged(problems.filter(({ severity }) => severity === "error")));
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
