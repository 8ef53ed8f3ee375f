import { expect, it } from "vitest";
import { DestinationError } from "../../lib/errors.ts";
import { isTransient } from "../errors.ts";
import { toLocalError } from "./errors.ts";

function systemError(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}, write '/archive/.a.partial'`), { code });
}

it.each([
  ["ENOSPC", "full", false],
  ["EDQUOT", "full", false],
  ["EACCES", "denied", false],
  ["EPERM", "denied", false],
  ["EROFS", "denied", false],
  ["ENOENT", "not-found", false],
  ["ENOTDIR", "invalid", false],
  ["ENAMETOOLONG", "invalid", false],
  ["ELOOP", "invalid", false],
  ["EFBIG", "invalid", false],
  ["EIO", "unavailable", true],
  ["ESTALE", "unavailable", true],
  ["EBUSY", "unavailable", true],
  ["EMFILE", "unavailable", true],
])("%s becomes `%s`, with what was attempted and without the call", (system, code, again) => {
  const error = toLocalError(systemError(system, "what it means"), "cannot store a.tar in /archive");
  expect(error).toMatchObject({ code, message: "cannot store a.tar in /archive: what it means" });
  expect(isTransient(error)).toBe(again);
});

it("leaves what is translated already, and treats the unknown as passing", () => {
  const known = new DestinationError("denied", "no");
  expect(toLocalError(known, "x")).toBe(known);
  expect(toLocalError("odd", "cannot list /a")).toMatchObject({ code: "unavailable", message: "cannot list /a: odd" });
  expect(isTransient(new Error("defect"))).toBe(false);
});
