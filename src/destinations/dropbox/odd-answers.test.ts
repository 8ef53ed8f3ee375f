import { expect, it, onTestFinished } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, failureOf, listAll } from "../../../test/conformance/harness.ts";
import { ApiError } from "../../../test/servers/dropbox-fake-errors.ts";
import { type DropboxFake, startDropboxFake } from "../../../test/servers/dropbox-fake.ts";
import { dropboxAt } from "../../../test/servers/dropbox-destination.ts";
import type { Destination } from "../../contracts/destination.ts";
import type { DropboxOptions } from "./options.ts";

const SIZE_BYTES = 9_000_000;

async function opened(
  changes: Partial<DropboxOptions> = {},
): Promise<{ readonly fake: DropboxFake; readonly destination: Destination }> {
  const fake = await startDropboxFake({ pageSize: 2 });
  onTestFinished(() => fake.close());
  const destination = dropboxAt(fake.origin, changes);
  onTestFinished(() => destination.close());
  return { fake, destination };
}

const callsOf = (fake: DropboxFake, route: RegExp): number =>
  fake.calls.filter((call) => route.test(call.route)).length;

it("a file that appeared although its last answer was lost is stored, also where its session is said to be closed", async () => {
  const { fake, destination } = await opened();
  const closed = ApiError.tagged("lookup_failed", "closed");
  fake.behaviour.faults = [
    { route: /finish$/, times: 1, kind: "lose" },
    { route: /finish$/, times: 9, kind: "refuse", error: closed },
  ];
  expect(await destination.put("a.tar", generatedSource(SIZE_BYTES), asArchive())).toMatchObject({
    sizeBytes: SIZE_BYTES,
    verified: "sha256",
  });
  expect(callsOf(fake, /finish$/)).toBe(2);
});

it("a file that appeared although no answer came through is stored", async () => {
  // Long enough for one more try.
  const { fake, destination } = await opened({ limits: { silenceMs: 1_000 } });
  fake.behaviour.faults = [
    { route: /finish$/, times: 1, kind: "lose" },
    { route: /finish$/, times: 9, kind: "refuse", error: new ApiError(500, "internal error") },
  ];
  expect(await destination.put("a.tar", generatedSource(SIZE_BYTES), asArchive())).toMatchObject({
    sizeBytes: SIZE_BYTES,
  });
});

it("a session that somebody else has closed is lost, and not asked again", async () => {
  const { fake, destination } = await opened();
  fake.behaviour.faults = [{ route: /append_v2$/, times: 99, kind: "refuse", error: ApiError.tagged("closed") }];
  const error = await failureOf(destination.put("a.tar", generatedSource(SIZE_BYTES), asArchive()));
  expect(error).toMatchObject({
    code: "unavailable",
    isFinal: false,
    message: expect.stringContaining("lost the upload session"),
  });
  expect(callsOf(fake, /append_v2$/)).toBeLessThanOrEqual(3);
});

it("a listing whose cursor has become invalid begins anew, and shows every archive once", async () => {
  const { fake, destination } = await opened();
  const names = ["a.tar", "b.tar", "c.tar", "d.tar", "e.tar"];
  for (const name of names) await destination.put(name, generatedSource(10), asArchive());
  fake.behaviour.faults = [{ route: /continue$/, times: 1, kind: "refuse", error: ApiError.tagged("reset") }];
  expect((await listAll(destination, "archive")).map(({ name }) => name).toSorted()).toEqual(names);
  expect(callsOf(fake, /list_folder$/)).toBe(2);

  fake.behaviour.faults = [{ route: /continue$/, times: 99, kind: "refuse", error: ApiError.tagged("reset") }];
  expect(await failureOf(listAll(destination, "archive"))).toMatchObject({ code: "unavailable" });
});
