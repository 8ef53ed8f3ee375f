import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, failureOf, listAll, readAll } from "../../../test/conformance/harness.ts";
import { RCLONE_PASSWORD, RCLONE_USER, type RcloneSftp, startRcloneSftp } from "../../../test/servers/rclone-sftp.ts";
import type { Destination } from "../../contracts/destination.ts";
import { createSshDestination } from "./ssh.ts";

let server: RcloneSftp;
beforeAll(async () => {
  server = await startRcloneSftp();
}, 60_000);
afterAll(async () => {
  await server.stop();
});

function open(concurrency: number): Destination {
  return createSshDestination({
    host: "127.0.0.1",
    port: server.port,
    user: RCLONE_USER,
    password: RCLONE_PASSWORD,
    remotePath: "site",
    concurrency,
  });
}

describe("a server that needs its writes in order", () => {
  it("stores, replaces, lists and reads with SSH_CONCURRENCY=1", { timeout: 60_000 }, async () => {
    const destination = open(1);
    const body = generatedSource(4_000_000);
    for (let at = 0; at < 2; at += 1) await destination.put("a.tar", generatedSource(4_000_000), asArchive());
    expect((await listAll(destination, "archive")).map(({ name }) => name)).toEqual(["a.tar"]);
    const read = await readAll(destination, "archive", "a.tar");
    expect(createHash("sha256").update(read).digest("hex")).toBe(body.sha256);
    await destination.close();
  });

  it("gets them one by one once it complained, where the archive can be read again", { timeout: 60_000 }, async () => {
    const destination = open(64);
    const body = generatedSource(6_000_000);
    await destination.put("b.tar", body, asArchive());
    const stored = readFileSync(join(server.root, "site", "b.tar"));
    expect(createHash("sha256").update(stored).digest("hex")).toBe(body.sha256);
    await destination.close();
  });

  it("else is an error that names the setting", { timeout: 60_000 }, async () => {
    const destination = open(64);
    const once = generatedSource(30_000_000, { windowBytes: 20_000_000 });
    const outcome = await failureOf(
      destination.put("c.tar", once, asArchive()).then(() => {
        throw new Error("stored");
      }),
    );
    // It complains only where two writes really overtook each other; what it stored without a complaint is whole.
    if (outcome instanceof Error && outcome.message === "stored") return;
    expect(outcome).toHaveProperty("hint", expect.stringContaining("SSH_CONCURRENCY=1"));
    expect(readdirSync(join(server.root, "site"))).not.toContain("c.tar");
    await destination.close();
  });
});
