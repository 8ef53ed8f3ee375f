/**
 * Adds up vitest's JSON results, names what failed and why, and ends with one plain line: `N passed, N failed, N skipped`.
 * `node scripts/count-tests.ts <failures of other kinds> <result.json>…`; exits 1 if anything failed or nothing ran.
 */
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

/** The parts of vitest's JSON report (the shape of Jest's) that are read here. */
interface VitestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  readonly name: string;
  readonly status: string;
  /** Why the file as a whole failed, for instance while it was loaded. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages?: readonly string[] | null;
  }[];
}

/** Long enough for an assertion and where it stands, short enough to read ten of them. */
const MESSAGE_LINES = 12;

const shortened = (message: string) => message.split("\n").slice(0, MESSAGE_LINES).join("\n    ");

function failuresOf(file: FileResult): string[] {
  const where = relative(process.cwd(), file.name);
  const failures = file.assertionResults
    .filter(({ status }) => status === "failed")
    .map(
      ({ fullName, failureMessages }) => `${where}: ${fullName}\n    ${shortened((failureMessages ?? []).join("\n"))}`,
    );
  if (failures.length === 0 && file.status === "failed") failures.push(`${where}\n    ${shortened(file.message)}`);
  return failures;
}

const [others = "0", ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of files.filter((name) => existsSync(name))) {
  const result = JSON.parse(readFileSync(file, "utf8")) as VitestResult;
  passed += result.numPassedTests;
  // A file that does not load fails without a failed test.
  failed += result.success ? 0 : Math.max(1, result.numFailedTests);
  skipped += result.numPendingTests;
  for (const failure of result.testResults.flatMap(failuresOf)) console.log(`FAILED ${failure}`);
}
failed += Number(others);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
