import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { failureOf } from "../../test/conformance/harness.ts";
import { createValues } from "../config/values.ts";
import type { Job } from "../contracts/job.ts";
import { openDestinations } from "./index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lifeboat-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function jobOf(raw: Record<string, string>): Job {
  return { name: "a", origin: { kind: "environment" }, raw, environment: {}, values: createValues(raw) };
}

it("opens the plain set and the numbered ones, each with a label of its own", async () => {
  const destinations = await openDestinations(
    jobOf({
      BACKUP_ARCHIVE: root,
      SSH_HOST_NAME: "one.test",
      SSH_USER: "u",
      SSH_2_HOST_NAME: "two.test",
      SSH_2_USER: "u",
      SSH_2_PORT: "2022",
      SSH_4_HOST_NAME: "one.test",
      SSH_4_USER: "u",
    }),
  );
  expect(destinations.map(({ kind, label, endpoint }) => [kind, label, endpoint?.port])).toEqual([
    ["local", `local:${root}`, undefined],
    ["ssh", "ssh:u@one.test", 22],
    ["ssh", "ssh:u@two.test:2022", 2022],
    ["ssh", "ssh:u@one.test (2)", 22],
  ]);
  for (const destination of destinations) await destination.close();
});

it("names the numbered settings in the errors of such a set", async () => {
  const [, second] = await openDestinations(
    jobOf({
      BACKUP_ARCHIVE: root,
      SSH_2_HOST_NAME: "127.0.0.1",
      SSH_2_PORT: "1",
      SSH_2_USER: "u",
      SSH_2_IDENTITY_FILE: join(root, "missing"),
    }),
  );
  const error = await failureOf(second?.connect(AbortSignal.timeout(20_000)) ?? Promise.resolve());
  const text = `${String(error)} ${(error as { hint?: string }).hint ?? ""}`;
  expect(text).toMatch(/SSH_2_[A-Z]/);
  expect(text).not.toMatch(/SSH_[A-Z]/);
});
