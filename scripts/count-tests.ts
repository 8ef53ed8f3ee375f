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
  // A file that does not load fails without a failed test.
  failed += result.success ? 0 : Math.max(1, result.numFailedTests);
  skipped += result.numPendingTests;
}
failed += Number(others);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
