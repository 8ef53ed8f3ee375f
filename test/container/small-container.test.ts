/**
 * What hosting panels give a sidecar: a third of a CPU, 350 MB, a read-only root. The whole site of the benchmarks:
 * `LIFEBOAT_CONTAINER_SITE_MB=1500 npx vitest run --config vitest.container.config.ts test/container/small-container.test.ts`
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { makeBenchTrees } from "../../bench/site.ts";
import { must } from "./docker.ts";
import { createSidecar, type Sidecar } from "./sidecar.ts";

const SITE_MB = Number(process.env["LIFEBOAT_CONTAINER_SITE_MB"] ?? 120);
const TIMEOUT_MS = 120_000 + SITE_MB * 500;
const LIMITS = ["--cpus", "0.35", "--memory", "350m", "--memory-swap", "350m", "--read-only"];

let side: Sidecar | undefined;

afterEach(() => side?.remove());

/** What the container's control group says, in version 2 or in version 1. */
function eitherFile(from: Sidecar, two: string, one: string): Promise<string> {
  return from.exec("sh", "-c", `cat /sys/fs/cgroup/${two} 2>/dev/null || cat /sys/fs/cgroup/${one}`);
}

test.each([
  ["gz", "libdeflate"],
  ["zst", "libzstd"],
])("%s in a small container", { timeout: TIMEOUT_MS }, async (compression, library) => {
  side = createSidecar();
  const { site } = makeBenchTrees(side.source, { siteMegabytes: SITE_MB, smallFiles: 2_000 });
  side.job("site.env", {
    BACKUP_CRON_EXPRESSION: "@yearly",
    BACKUP_COMPRESSION: compression,
    BACKUP_FILENAME: "site.{{ .Extension }}",
  });
  await side.start(LIMITS);
  const startedAt = Date.now();
  await side.exec("lifeboat", "run", "site");
  const seconds = (Date.now() - startedAt) / 1000;
  const peakMb = Number(await eitherFile(side, "memory.peak", "memory/memory.max_usage_in_bytes")) / 1e6;
  const killed = /^oom_kill (\d+)$/m.exec(await eitherFile(side, "memory.events", "memory/memory.oom_control"))?.[1];
  // The peak holds what the kernel keeps of files, too; it gives that up before it kills.
  console.log(`${compression}: ${SITE_MB} MB took ${seconds.toFixed(0)} s, memory peak ${peakMb.toFixed(0)} MB of 367`);
  expect(killed).toBe("0");
  const [run] = await side.history();
  expect(run?.status).toBe("success");
  expect(run?.archive?.compressor).toContain(library);
  const archive = path.join(side.archive, `site.tar.${compression}`);
  const listed = await must("bsdtar", "-tf", archive);
  expect(listed).toContain(`backup/${path.basename(site)}/site-00.example/dumps/db-0.sql`);
  const decompress = compression === "gz" ? gunzipSync : zstdDecompressSync;
  if (SITE_MB < 500) expect(decompress(readFileSync(archive)).length).toBeGreaterThan(SITE_MB * 1e6);
});
