import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, failureOf, readAll } from "../../../test/conformance/harness.ts";
import { sampleBytes, sha256 } from "../../../test/conformance/sources.ts";
import { startHttpFaults } from "../../../test/faults/http-faults.ts";
import { type FaultProxy, startFaultProxy } from "../../../test/faults/proxy.ts";
import { type ApacheDav, startApacheDav } from "../../../test/servers/apache-dav.ts";
import { DAV_PASSWORD, DAV_USER, type DavServer } from "../../../test/servers/dav-server.ts";
import { startNginxDav } from "../../../test/servers/nginx-dav.ts";
import { startRcloneDav } from "../../../test/servers/rclone-dav.ts";
import type { Destination } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { bufferSource } from "../buffer-source.ts";
import type { WebdavOptions } from "./options.ts";
import { createWebdavDestination } from "./webdav.ts";

const MEBIBYTE = 1024 * 1024;
const SHORT = { connectMs: 3_000, idleMs: 2_000, answerMs: 3_000, silenceMs: 8_000 };

let apache: ApacheDav;
let rclone: DavServer;
beforeAll(async () => {
  apache = await startApacheDav();
  rclone = await startRcloneDav();
}, 60_000);
afterAll(async () => {
  await apache.stop();
  await rclone.stop();
});

function open(url: string, path: string, more: Partial<WebdavOptions> = {}): Destination {
  return createWebdavDestination({
    url,
    path,
    login: { user: DAV_USER, password: DAV_PASSWORD },
    limits: SHORT,
    ...more,
  });
}

function filesIn(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

async function failure(work: Promise<unknown>): Promise<DestinationError> {
  const error = await failureOf(work);
  expect(error).toBeInstanceOf(DestinationError);
  return error as DestinationError;
}

describe.each([
  { name: "Apache", server: () => apache, url: () => apache.digestUrl },
  { name: "rclone", server: () => rclone, url: () => rclone.url },
])("a bad line to $name", ({ name, server, url }) => {
  let proxy: FaultProxy;
  let destination: Destination;
  let folder = "";
  let folders = 0;
  beforeEach(async () => {
    folders += 1;
    folder = join(server().root, `bad-${name}-${folders}`);
    proxy = await startFaultProxy({ port: Number(new URL(url()).port) });
    destination = open(`http://127.0.0.1:${proxy.port}/`, `bad-${name}-${folders}`);
  });
  afterEach(async () => {
    await destination.close();
    await proxy.close();
  });
  const visible = (): string[] => filesIn(folder).filter((file) => !file.startsWith("."));

  it("cut once: the whole archive is sent again", { timeout: 60_000 }, async () => {
    await proxy.setFault({ kind: "cut-once", afterBytes: 3 * MEBIBYTE });
    const body = generatedSource(10 * MEBIBYTE);
    await destination.put("a.tar", body, asArchive());
    expect(proxy.seen.cuts).toBe(1);
    expect(
      createHash("sha256")
        .update(readFileSync(join(folder, "a.tar")))
        .digest("hex"),
    ).toBe(body.sha256);
    expect(filesIn(folder)).toEqual(["a.tar"]);
  });

  it("cut once, where the archive is gone: an error that says why and what helps", { timeout: 60_000 }, async () => {
    await proxy.setFault({ kind: "cut-once", afterBytes: 30 * MEBIBYTE });
    const body = generatedSource(60 * MEBIBYTE, { windowBytes: 24 * MEBIBYTE });
    const error = await failure(destination.put("a.tar", body, asArchive()));
    expect(error).toMatchObject({ code: "unavailable", isFinal: true });
    expect(error.message).toMatch(/cut.*can't be sent again/);
    expect(error.hint).toContain("BACKUP_STAGING=disk");
    expect(visible()).toEqual([]);
  });

  it("cut always: is given up, and nothing is visible", { timeout: 60_000 }, async () => {
    await proxy.setFault({ kind: "cut-always", afterBytes: 200_000 });
    const error = await failure(destination.put("a.tar", generatedSource(10 * MEBIBYTE), asArchive()));
    expect(error).toMatchObject({ code: "unavailable", isFinal: true });
    expect(visible()).toEqual([]);
  });

  it.each(["up", "down"] as const)(
    "silent in the middle, %s: is given up within the limits",
    { timeout: 60_000 },
    async (direction) => {
      const afterBytes = direction === "up" ? 2 * MEBIBYTE : 200;
      await proxy.setFault({ kind: "stall", afterBytes, direction });
      const startedAt = performance.now();
      const error = await failure(destination.put("a.tar", generatedSource(60 * MEBIBYTE), asArchive()));
      expect(error.code).toBe("unavailable");
      expect(performance.now() - startedAt).toBeLessThan(25_000);
      expect(visible()).toEqual([]);
    },
  );

  it("a download that is cut is resumed, and one that stays silent an error", { timeout: 60_000 }, async () => {
    const body = generatedSource(8 * MEBIBYTE);
    await destination.put("a.tar", body, asArchive());
    await proxy.setFault({ kind: "cut-always", afterBytes: 3 * MEBIBYTE, direction: "down" });
    expect(sha256(await readAll(destination, "archive", "a.tar"))).toBe(body.sha256);
    expect(proxy.seen.cuts).toBeGreaterThanOrEqual(2);
    await proxy.setFault({ kind: "stall", afterBytes: 3 * MEBIBYTE, direction: "down" });
    expect(await failure(readAll(destination, "archive", "a.tar"))).toMatchObject({ code: "unavailable" });
  });

  it("nonsense and refusal are errors with a hint", { timeout: 60_000 }, async () => {
    await proxy.setFault({ kind: "garbage" });
    expect((await failure(destination.connect(AbortSignal.timeout(30_000)))).message).toContain(destination.label);
    await proxy.setFault({ kind: "refuse" });
    expect((await failure(destination.connect(AbortSignal.timeout(30_000)))).hint).toContain("WEBDAV_URL");
  });
});

describe("bad answers in front of a good server", () => {
  it.each([
    ["503 before the body", { status: 503, times: 2, methods: ["PUT"], when: "at-once", retryAfter: 1 }],
    ["500 after the body", { status: 500, times: 1, methods: ["PUT"], when: "after-body" }],
    ["429", { status: 429, times: 2, retryAfter: 1 }],
    ["a lost answer to PUT", { status: 502, times: 1, methods: ["PUT"], when: "after-server" }],
    ["a lost answer to MOVE", { status: 504, times: 1, methods: ["MOVE"], when: "after-server" }],
    ["a refused Destination header", { status: 502, times: 1, methods: ["MOVE"] }],
  ] as const)("%s: stored all the same", { timeout: 60_000 }, async (_what, burst) => {
    const faults = await startHttpFaults(Number(new URL(apache.url).port), [burst]);
    const destination = open(`http://127.0.0.1:${faults.port}/`, "bursts");
    const body = generatedSource(3 * MEBIBYTE);
    await destination.put("a.tar", body, asArchive());
    expect(
      createHash("sha256")
        .update(readFileSync(join(apache.root, "bursts", "a.tar")))
        .digest("hex"),
    ).toBe(body.sha256);
    expect(readdirSync(join(apache.root, "bursts"))).toEqual(["a.tar"]);
    await destination.close();
    await faults.close();
    rmSync(join(apache.root, "bursts"), { recursive: true });
  });

  it.each([
    [507, "full", /free some space/],
    [413, "invalid", /LimitRequestBody/],
    [403, "denied", /WEBDAV_PATH/],
    [423, "unavailable", /locked/],
  ] as const)(
    "HTTP %i is `%s`, with a hint and the server's words",
    { timeout: 60_000 },
    async (status, code, hint) => {
      const body = `<html><title>no</title><body>because of ${DAV_PASSWORD} <b>reasons</b></body></html>`;
      const faults = await startHttpFaults(Number(new URL(apache.url).port), [
        { status, times: 99, methods: ["PUT"], body },
      ]);
      const destination = open(`http://127.0.0.1:${faults.port}/`, "refused");
      const error = await failure(destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive()));
      expect(error.code).toBe(code);
      expect(error.hint).toMatch(hint);
      expect(error.message).toContain(`HTTP ${status}`);
      expect(error.message).toContain("because of *** reasons");
      await destination.close();
      await faults.close();
    },
  );
});

describe("a full disk", () => {
  it.each([{ make: "Apache" }, { make: "nginx" }, { make: "rclone" }])(
    "on $make is an error, and the earlier archive stays",
    { timeout: 60_000 },
    async ({ make }) => {
      const own =
        make === "Apache" ? await startApacheDav() : make === "nginx" ? await startNginxDav() : await startRcloneDav();
      const small = join(own.root, "small");
      mkdirSync(small);
      const { uid, gid } = statSync(own.root);
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=12m,uid=${uid},gid=${gid},mode=755`, "tmpfs", small]);
      const destination = open(own.url, "small");
      try {
        await destination.put("same.tar", bufferSource(sampleBytes(1_000)), asArchive());
        const error = await failure(destination.put("same.tar", generatedSource(20 * MEBIBYTE), asArchive()));
        expect(["full", "unavailable"]).toContain(error.code);
        expect(error.hint).toMatch(/space|server's load and log/);
        // nginx itself forgets the file that it could not finish, under a hidden name of its own.
        expect(readdirSync(small).filter((name) => make !== "nginx" || !name.startsWith("."))).toEqual(["same.tar"]);
        expect(readFileSync(join(small, "same.tar")).equals(sampleBytes(1_000))).toBe(true);
      } finally {
        await destination.close();
        execFileSync("umount", [small]);
        await own.stop();
      }
    },
  );
});

it("a folder under the archive's name is left alone, with all that is in it", async () => {
  const destination = open(apache.url, "taken");
  await destination.put("first.tar", bufferSource(sampleBytes(1)), asArchive());
  const folder = open(apache.url, "taken/a.tar");
  await folder.put("inside.tar", bufferSource(sampleBytes(1)), asArchive());
  expect(await failure(destination.put("a.tar", bufferSource(sampleBytes(1)), asArchive()))).toMatchObject({
    code: "invalid",
  });
  expect(filesIn(join(apache.root, "taken", "a.tar"))).toEqual(["inside.tar"]);
  await destination.close();
  await folder.close();
});
