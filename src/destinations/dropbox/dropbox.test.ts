import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  asArchive,
  asRecord,
  failureOf,
  hashOf,
  listAll,
  OWNER,
  readAll,
  signal,
} from "../../../test/conformance/harness.ts";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import { dropboxAt } from "../../../test/servers/dropbox-destination.ts";
import { ApiError } from "../../../test/servers/dropbox-fake-errors.ts";
import {
  type DropboxFake,
  FAKE_APP_KEY,
  FAKE_APP_SECRET,
  FAKE_REFRESH_TOKEN,
  startDropboxFake,
} from "../../../test/servers/dropbox-fake.ts";
import type { Destination } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { bufferSource } from "../buffer-source.ts";

const MIB = 1024 * 1024;
let fake: DropboxFake;
let destination: Destination;

beforeEach(async () => {
  fake = await startDropboxFake();
  destination = dropboxAt(fake.origin);
});
afterEach(async () => {
  await destination.close();
  await fake.close();
});

const small = () => bufferSource(sampleBytes(1_000));
const calls = (route: RegExp): number => fake.calls.filter((call) => route.test(call.route)).length;
const paths = (): string[] => [...fake.store.files.values()].map((file) => file.path);

async function expectStored(sizeBytes: number): Promise<void> {
  const body = generatedSource(sizeBytes);
  const stored = await destination.put("a.tar", body, asArchive());
  expect(stored).toMatchObject({ name: "a.tar", sizeBytes, verified: "sha256" });
  expect(await hashOf(await destination.get("archive", "a.tar", undefined, signal()))).toEqual({
    sizeBytes,
    sha256: body.sha256,
  });
}

async function refusal(work: Promise<unknown>): Promise<DestinationError> {
  const error = await failureOf(work);
  expect(error).toBeInstanceOf(DestinationError);
  if (!(error instanceof DestinationError)) throw error;
  for (const secret of [FAKE_APP_KEY, FAKE_APP_SECRET, FAKE_REFRESH_TOKEN, "sl."])
    expect(`${error.message} ${error.hint ?? ""}`).not.toContain(secret);
  return error;
}

describe("access tokens", () => {
  it("are asked for once by many calls at the same time", async () => {
    await Promise.all(Array.from({ length: 10 }, (_, at) => destination.put(`r/${at}.json`, small(), asRecord())));
    expect(calls(/oauth2/)).toBe(1);
  });

  it("that end in the middle of an upload are renewed, once for all calls", async () => {
    fake.behaviour.tokenLifeS = 1;
    fake.behaviour.latencyMs = 150;
    await expectStored(60 * MIB);
    expect(calls(/oauth2/)).toBeGreaterThan(1);
    expect(calls(/oauth2/)).toBeLessThan(8);
  });

  it("that are taken back are replaced", async () => {
    await destination.connect(signal());
    fake.behaviour.revokeTokens();
    await expectStored(20 * MIB);
    expect(calls(/oauth2/)).toBe(2);
  });

  it("survive a token service that is down for a moment", async () => {
    fake.behaviour.faults = [{ route: /oauth2/, times: 2, kind: "refuse", error: new ApiError(503, "down") }];
    await expectStored(10);
  });

  it.each([
    ["a wrong refresh token", { refreshToken: "wrong" }, /DROPBOX_REFRESH_TOKEN.*dropbox-login/],
    ["a wrong key", { appKey: "wrong" }, /DROPBOX_APP_KEY/],
    ["a wrong secret", { appSecret: "wrong" }, /DROPBOX_APP_SECRET/],
  ])("%s is refused once, with the setting to look at", async (_what, wrong, hint) => {
    const credentials = { refreshToken: FAKE_REFRESH_TOKEN, appKey: FAKE_APP_KEY, appSecret: FAKE_APP_SECRET };
    const other = dropboxAt(fake.origin, { credentials: { ...credentials, ...wrong } });
    const error = await refusal(other.put("a.tar", small(), asArchive()));
    expect(error).toMatchObject({ code: "denied", hint: expect.stringMatching(hint) });
    expect(calls(/oauth2/)).toBe(1);
    await other.close();
  });
});

describe("an upload", () => {
  it("goes on after lost answers to every kind of call, and stores everything once", async () => {
    for (const route of [/start$/, /append_v2$/, /finish$/])
      fake.behaviour.faults.push({ route, times: 1, kind: "lose" });
    await expectStored(25 * MIB);
    expect(paths()).toEqual(["/site/a.tar"]);
  });

  it("goes on after a lost answer to the call that makes a small file", async () => {
    fake.behaviour.faults = [{ route: /finish$/, times: 1, kind: "lose" }];
    await expectStored(1_000);
  });

  it("obeys 429 with Retry-After on all its connections", async () => {
    await destination.connect(signal());
    fake.behaviour.faults = [{ route: /append_v2$/, times: 3, kind: "refuse", error: ApiError.tooManyRequests(1) }];
    await expectStored(40 * MIB);
    const refused = fake.calls.filter((call) => call.status === 429).map((call) => call.answeredAt);
    const last = Math.max(...refused);
    expect(refused).toHaveLength(3);
    // Only what was on its way when the refusal came, of six at a time.
    expect(fake.calls.filter((call) => call.cameAt > last && call.cameAt < last + 900).length).toBeLessThanOrEqual(3);
  });

  it.each([
    ["500", new ApiError(500, "internal error")],
    ["503 with Retry-After", new ApiError(503, "", { "Retry-After": "1" })],
    ["too many write operations", ApiError.write("too_many_write_operations")],
    ["a login page", undefined],
  ])("goes on after bursts of %s", async (_what, error) => {
    const fault = error === undefined ? ({ kind: "garbage" } as const) : ({ kind: "refuse", error } as const);
    fake.behaviour.faults = [/append_v2$/, /finish$/].map((route) => ({ route, times: 2, ...fault }));
    await expectStored(20 * MIB);
  });

  it("takes the offset that Dropbox names", async () => {
    // As after a lost answer to a sequential append: all of it is there.
    const there = ApiError.with({ correct_offset: 8 * MIB }, "incorrect_offset");
    fake.behaviour.faults = [{ route: /append_v2$/, times: 1, kind: "lose" }];
    fake.behaviour.faults.push({ route: /append_v2$/, times: 1, kind: "refuse", error: there });
    const one = dropboxAt(fake.origin, { concurrency: 1 });
    const body = generatedSource(20 * MIB);
    expect((await one.put("a.tar", body, asArchive())).sizeBytes).toBe(20 * MIB);
    expect(await hashOf(await one.get("archive", "a.tar", undefined, signal()))).toHaveProperty("sha256", body.sha256);
    await one.close();
  });

  it("that Dropbox stored wrong does not stay and does not count", async () => {
    fake.behaviour.isCorrupting = true;
    const error = await refusal(destination.put("a.tar", generatedSource(9 * MIB), asArchive()));
    expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("stored something else") });
    expect(paths()).toEqual([]);
  });

  it("whose session is lost fails as a whole, so that it can be repeated", async () => {
    fake.behaviour.faults = [{ route: /append_v2$/, times: 1, kind: "refuse", error: ApiError.tagged("not_found") }];
    const error = await refusal(destination.put("a.tar", generatedSource(30 * MIB), asArchive()));
    expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("lost the upload session") });
    await expectStored(30 * MIB);
  });

  it.each([
    ["no room", ApiError.write("insufficient_space"), "full", /BACKUP_RETENTION_DAYS/],
    ["a name that is not allowed", ApiError.write("disallowed_name"), "invalid", /BACKUP_FILENAME/],
    ["no permission", ApiError.write("no_write_permission"), "denied", /DROPBOX_REMOTE_PATH/],
    ["a suspended user", ApiError.unauthorised("user_suspended"), "denied", /DROPBOX_APP_KEY/],
  ])("meets %s: no retry, a code and a hint", async (_what, error, code, hint) => {
    fake.behaviour.faults = [{ route: /finish$/, times: 9, kind: "refuse", error }];
    expect(await refusal(destination.put("a.tar", small(), asArchive()))).toMatchObject({
      code,
      hint: expect.stringMatching(hint),
    });
    expect(calls(/finish/)).toBe(1);
  });

  it("without the scope names the scope", async () => {
    fake.behaviour.scopes = ["files.metadata.read"];
    const error = await refusal(destination.put("a.tar", small(), asArchive()));
    expect(error).toMatchObject({ code: "denied", hint: expect.stringContaining("files.content.write") });
  });

  it("lowers what it holds to the level that it is given", async () => {
    const one = dropboxAt(fake.origin, { concurrency: 2 });
    fake.behaviour.latencyMs = 30;
    // More than the window: what is not on its way must have been let go.
    const body = generatedSource(60 * MIB, { windowBytes: 17 * MIB });
    expect((await one.put("a.tar", body, asArchive())).sizeBytes).toBe(60 * MIB);
    await one.close();
  });
});

describe("names and folders", () => {
  it.each(["/a/b", "a/b/", "//a//b//", "./a/b"])("the folder %j is /a/b", async (remotePath) => {
    const other = dropboxAt(fake.origin, { remotePath });
    expect(other.label).toBe("dropbox:/a/b");
    await other.put("x.tar", small(), asArchive());
    await other.put("job/run.json", small(), asRecord());
    expect(paths()).toEqual(["/a/b/x.tar", "/a/b/.lifeboat/job/run.json"]);
    await other.close();
  });

  it("an app's own folder is the topmost one", async () => {
    const other = dropboxAt(fake.origin, { remotePath: "/" });
    await other.connect(signal());
    await other.put("x.tar", small(), asArchive());
    await other.put("job/run.json", small(), asRecord());
    expect(paths()).toEqual(["/x.tar", "/.lifeboat/job/run.json"]);
    expect((await listAll(other, "archive")).map(({ name }) => name)).toEqual(["x.tar"]);
    expect((await listAll(other, "record")).map(({ name }) => name)).toEqual(["job/run.json"]);
    await other.close();
  });

  it("a folder that was made in another case is the same folder", async () => {
    await destination.put("x.tar", small(), asArchive());
    await destination.put("job/run.json", small(), asRecord());
    const other = dropboxAt(fake.origin, { remotePath: "/SITE" });
    expect((await listAll(other, "archive")).map(({ name }) => name)).toEqual(["x.tar"]);
    expect((await listAll(other, "record")).map(({ name }) => name)).toEqual(["job/run.json"]);
    await other.put("X.tar", small(), asArchive());
    expect(paths()).toHaveLength(2);
    await other.close();
  });

  it.each(["back\\slash.tar", "blank at the end.tar ", "del\u007f.tar"])(
    "%j is refused before anything is sent",
    async (name) => {
      const error = await refusal(destination.put(name, small(), asArchive()));
      expect(error).toMatchObject({ code: "invalid", hint: expect.stringContaining("BACKUP_FILENAME") });
      expect(fake.calls).toEqual([]);
    },
  );
});

describe("listing, reading, removing", () => {
  it("follows the pages of a listing, and shows files only", async () => {
    await fake.close();
    fake = await startDropboxFake({ pageSize: 7 });
    destination = dropboxAt(fake.origin);
    const names = Array.from({ length: 40 }, (_, at) => `n-${String(at).padStart(2, "0")}.tar`);
    for (const name of names) await destination.put(name, small(), asArchive());
    await destination.put("below/x.json", small(), asRecord());
    expect((await listAll(destination, "archive")).map(({ name }) => name)).toEqual(names);
    expect(calls(/list_folder\/continue/)).toBe(5);
  });

  it("needs no right to look for connecting and storing", async () => {
    fake.behaviour.scopes = ["files.content.write"];
    await destination.connect(signal());
    await destination.put("a.tar", small(), asArchive());
    const error = await refusal(listAll(destination, "archive"));
    expect(error).toMatchObject({ code: "denied", hint: expect.stringContaining("files.metadata.read") });
  });

  it("leaves nothing to clean up after an abort: Dropbox shows no session", async () => {
    const controller = new AbortController();
    const putting = destination.put("a.tar", generatedSource(200 * MIB), {
      ...asArchive(),
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("stop now")),
    });
    expect(await failureOf(putting)).toHaveProperty("message", expect.stringContaining("stop now"));
    expect(paths()).toEqual([]);
    expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
  });

  it("a file that is replaced while it is read is no longer read", async () => {
    await destination.put("a.tar", bufferSource(sampleBytes(100)), asArchive());
    expect(await readAll(destination, "archive", "a.tar", { offset: 99, length: 5 })).toHaveLength(1);
  });
});
