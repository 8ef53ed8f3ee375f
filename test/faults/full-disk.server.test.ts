import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DestinationError } from "../../src/lib/errors.ts";
import { generatedSource } from "../conformance/generated-source.ts";
import { asArchive, OWNER } from "../conformance/harness.ts";
import { temporaryFolder } from "../servers/program.ts";
import { deliver } from "./fault-suite.ts";
import { faultKinds, openFrom } from "./kinds.ts";

const DISK_BYTES = 40_000_000;

/** A disk of its own, as small as wanted. Needs root. */
function mountSmallDisk(): { readonly folder: string; unmount(): void } {
  const parent = temporaryFolder();
  execFileSync("chmod", ["0755", parent]);
  const folder = join(parent, "disk");
  mkdirSync(folder);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES},mode=0777`, "tmpfs", folder]);
  return {
    folder,
    unmount() {
      // A server that is only just gone may still hold it.
      execFileSync("umount", ["--lazy", folder]);
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

describe.each(Object.values(faultKinds))("a full disk: $label", (kind) => {
  it.each(["disk", "memory"] as const)(
    "stores nothing of it, and harms nothing (%s)",
    { timeout: 240_000 },
    async (staging) => {
      const disk = mountSmallDisk();
      const server = await kind.start(disk.folder);
      const destination = await openFrom(server.settings(server.port, "site"));
      try {
        const before = generatedSource(1_000_000, { seed: 7 });
        await destination.put("site.tar", before, asArchive());
        const large = generatedSource(2 * DISK_BYTES, staging === "memory" ? { windowBytes: 64 * 1024 * 1024 } : {});
        const error = await deliver(destination, large, staging);
        expect(error).toBeInstanceOf(DestinationError);
        if (kind.hidesFullDisk === undefined) expect(error).toHaveProperty("code", "full");
        expect([...(await server.look("site"))]).toEqual([["site.tar", before.sha256]]);
        if (kind.keepsDiskFull !== undefined) return;
        // What was written in vain does not stay in the way.
        await destination.removeLeftovers(OWNER, AbortSignal.timeout(60_000));
        server.daysPass?.();
        const again = generatedSource(12_000_000, { seed: 9 });
        // The server may still be about to drop what it had begun.
        await expect
          .poll(() => deliver(destination, again, "disk"), { timeout: 20_000, interval: 1_000 })
          .toBeUndefined();
        expect([...(await server.look("site"))]).toEqual([["site.tar", again.sha256]]);
      } finally {
        await destination.close();
        await server.stop();
        disk.unmount();
      }
    },
  );
});
