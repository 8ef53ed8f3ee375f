/**
 * Adds up vitest's JSON results and prints one plain line: `N passed, N failed, N skipped`.
 * `node scripts/count-tests.ts <failures of other kinds> <result.json>…`; exits 1 if anything failed or nothing ran.
 */
import { existsSync, readFileSync } from "node:fs";

interface VitestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

const [others = "0", ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of files.filter((name) => existsSync(name))) {
  const result = JSON.parse(readFileSync(file, "utf8")) as VitestResult;
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  skipped += result.numPendingTests;
}
// A failed step whose tests say nothing (a file that does not load, a time limit, a lint error) counts as one.
failed = Math.max(failed, Number(others));
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
