/**
 * Kills uploading processes at random moments, 50 times for every kind of destination: `node scripts/kill-uploads.ts [kind…]
 * [--times N]`. Needs the test servers (`scripts/test-servers.sh`) and root. Exit code 1 where a store ever showed anything
 * but a whole archive, or kept what a dead upload had left.
 */
import { parseArgs } from "node:util";
import { killUploads } from "../test/faults/kill-uploads.ts";
import { faultKinds } from "../test/faults/kinds.ts";

const { values, positionals } = parseArgs({
  options: { times: { type: "string", default: "50" } },
  allowPositionals: true,
});
let isGood = true;
for (const [name, kind] of Object.entries(faultKinds)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const { kills, tooLate, leftovers, faults } = await killUploads(kind, Number(values.times));
  isGood &&= faults.length === 0;
  const verdict = faults.length === 0 ? "good" : `BAD: ${faults.join("; ")}`;
  process.stdout.write(
    `${kind.label}: ${kills} kills (${tooLate} too late), ${leftovers} left something: ${verdict}\n`,
  );
}
process.exitCode = isGood ? 0 : 1;
