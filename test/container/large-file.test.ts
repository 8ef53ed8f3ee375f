import { closeSync, openSync, statfsSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { must, run } from "./docker.ts";
import { createSidecar, type Sidecar } from "./sidecar.ts";

const NO_DIFFERENCE = { code: 0, stdout: "", stderr: "" };
const SIZE_BYTES = 9 * 2 ** 30;
const { bavail, bsize } = statfsSync(os.tmpdir());
const hasRoom = bavail * bsize > SIZE_BYTES * 1.5;

let side: Sidecar | undefined;

afterEach(() => side?.remove());

// Above 8 GiB the size no longer fits into tar's octal field.
test.skipIf(!hasRoom)("a file of 9 GiB, mostly holes, without compression", { timeout: 600_000 }, async () => {
  side = createSidecar();
  const file = path.join(side.source, "disk.img");
  const fd = openSync(file, "w");
  for (const offset of [0, 5 * 2 ** 30 + 1, SIZE_BYTES - 3]) writeSync(fd, Buffer.from("end"), 0, 3, offset);
  closeSync(fd);
  side.job("disk.env", {
    BACKUP_CRON_EXPRESSION: "@yearly",
    BACKUP_COMPRESSION: "none",
    BACKUP_FILENAME: "disk.{{ .Extension }}",
  });
  const startedAt = Date.now();
  await side.start(["--memory", "350m"]);
  await side.exec("lifeboat", "run", "disk");
  console.log(`9 GiB took ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  const archive = path.join(side.archive, "disk.tar");
  expect(await must("bsdtar", "-tvf", archive)).toMatch(new RegExp(`\\s${SIZE_BYTES}\\s.*backup/disk.img`));
  expect(await run("tar", ["--compare", "--file", archive, "--directory", path.dirname(side.source)])).toEqual(
    NO_DIFFERENCE,
  );
});
