import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { failureOf } from "../../test/conformance/harness.ts";
import { DestinationError } from "../lib/errors.ts";
import { resumingBody } from "./resuming-body.ts";

/** Gives these bytes, then breaks. */
function breaking(bytes: string): Readable {
  return Readable.from(
    (async function* () {
      if (bytes !== "") yield Buffer.from(bytes);
      throw new Error("cut");
    })(),
  );
}

function resumed(
  parts: readonly string[],
  lengthBytes: number,
  silenceMs: number,
): { readonly body: Readable; opened(): number } {
  let opened = 0;
  const body = resumingBody(breaking(parts[0] ?? ""), {
    signal: new AbortController().signal,
    lengthBytes,
    reopen: () => Promise.resolve(breaking(parts[(opened += 1)] ?? "")),
    translate: (thrown) => (thrown instanceof DestinationError ? thrown : new DestinationError("unavailable", "cut")),
    silenceMs,
  });
  return { body, opened: () => opened };
}

it("goes on where it was, as long as each answer brings it further", async () => {
  const { body } = resumed(["ab", "cd", "", "ef"], 6, 10_000);
  expect(Buffer.concat(await body.toArray()).toString()).toBe("abcdef");
});

it("gives up on a store that answers again and again and gives nothing", async () => {
  const { body, opened } = resumed(["ab"], 6, 1_000);
  expect(await failureOf(body.toArray())).toMatchObject({ code: "unavailable", message: "cut" });
  expect(opened()).toBeLessThanOrEqual(6);
});
