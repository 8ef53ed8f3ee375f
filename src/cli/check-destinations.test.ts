import { expect, it } from "vitest";
import type { ProbeStep } from "../delivery/probe.ts";
import { findingsOf } from "./check-destinations.ts";

const DENIED = "cannot list s3:b: the store answered 403";
const steps = (list: Partial<ProbeStep>): readonly ProbeStep[] => [
  { step: "authenticate", outcome: "ok", durationMs: 1 },
  { step: "list", outcome: "ok", durationMs: 2, ...list },
];

it("what may not be listed is a note, and no part of the good news", () => {
  const findings = findingsOf({ label: "s3:b" }, steps({ outcome: "note", detail: DENIED, hint: "see there" }));
  expect(findings.map(({ level, text }) => `${level} ${text}`)).toEqual([
    "ok s3:b: authenticate 1ms, list 2ms",
    `note s3:b: list: ${DENIED} (see there)`,
  ]);
  const [found] = findingsOf({ label: "s3:b" }, steps({ detail: "3 archives" }));
  expect(found?.text).toBe("s3:b: 3 archives, authenticate 1ms, list 2ms");
});
