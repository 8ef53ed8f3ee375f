import type { FaultCase } from "./fault-suite.ts";
import type { Burst } from "./http-faults.ts";

/** What a delivery may take that meets a fault which passes, milliseconds. */
const PASSING_MS = 120_000;
/** "A store that stays silent is given up within four minutes, all attempts together." Broken ones are no slower. */
const GIVEN_UP_MS = 240_000;

const WRITES = ["PUT", "POST"];
const burst = (status: number, when: Burst["when"], retryAfter?: number): readonly Burst[] => [
  {
    status,
    times: 3,
    methods: WRITES,
    ...(when === undefined ? {} : { when }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  },
];

/** Faults that show themselves: real limits, as they are documented. */
export const openFaults: readonly FaultCase[] = [
  {
    name: "the connection is cut once, in the middle of the body",
    fault: { kind: "cut-once", afterBytes: 21_000_000 },
    sizeBytes: 50_000_000,
    outcome: "stored",
    withinMs: PASSING_MS,
  },
  {
    name: "the connection is cut once, in the middle of an answer",
    fault: { kind: "cut-once", afterBytes: 2_500, direction: "down" },
    sizeBytes: 50_000_000,
    outcome: "stored",
    withinMs: PASSING_MS,
  },
  {
    name: "every connection is cut after 20 kB",
    fault: { kind: "cut-always", afterBytes: 20_000 },
    sizeBytes: 300_000,
    outcome: "whole-or-nothing",
    withinMs: GIVEN_UP_MS,
  },
  {
    name: "every connection is cut at its first byte",
    fault: { kind: "cut-always", afterBytes: 1 },
    sizeBytes: 300_000,
    outcome: "nothing",
    withinMs: GIVEN_UP_MS,
  },
  {
    name: "a line of 1 MB/s",
    fault: { kind: "rate", bytesPerSecond: 1_000_000 },
    sizeBytes: 12_000_000,
    outcome: "stored",
    withinMs: PASSING_MS,
  },
  {
    name: "300 ms of latency each way",
    fault: { kind: "latency", eachWayMs: 300 },
    sizeBytes: 50_000_000,
    outcome: "stored",
    withinMs: PASSING_MS,
  },
  {
    name: "garbage instead of an answer",
    fault: { kind: "garbage" },
    sizeBytes: 1_000_000,
    outcome: "nothing",
    withinMs: GIVEN_UP_MS,
  },
  {
    name: "connections are refused",
    fault: { kind: "refuse" },
    sizeBytes: 1_000_000,
    outcome: "nothing",
    withinMs: GIVEN_UP_MS,
  },
  ...(
    [
      ["429 with Retry-After", burst(429, "after-body", 1)],
      ["500", burst(500, "after-body")],
      ["503 before the body is read", burst(503, "at-once", 1)],
      ["500 although the server did what was asked", burst(500, "after-server")],
    ] as const
  ).map(([name, bursts]): FaultCase => ({
    name: `the first three writes are answered ${name}`,
    bursts,
    sizeBytes: 40_000_000,
    outcome: "stored",
    withinMs: PASSING_MS,
  })),
  {
    name: "every write is answered 503",
    bursts: [{ status: 503, times: 1_000, methods: WRITES }],
    sizeBytes: 300_000,
    outcome: "nothing",
    withinMs: GIVEN_UP_MS,
  },
];

/** The limits that `silentFaults` runs with, milliseconds: those of `limits.ts`, shortened so that nobody waits for minutes. */
export const SHORT_LIMITS = { CONNECT_MS: 3_000, IDLE_MS: 4_000, SILENCE_MS: 10_000, SMALL_CALL_MS: 8_000 };
/** As four minutes are to the real limits, with room for a slow machine. */
const SHORT_GIVEN_UP_MS = 50_000;

const silences: readonly (readonly [when: string, at: { readonly afterBytes: number; readonly direction?: "down" }])[] =
  [
    ["from the first byte on", { afterBytes: 0 }],
    ["in the middle of the body", { afterBytes: 10_000_000 }],
    ["in the middle of an answer", { afterBytes: 1_200, direction: "down" }],
  ];

/** Faults in which nothing is heard any more. */
export const silentFaults: readonly FaultCase[] = silences.map(([when, at]) => ({
  name: `silence ${when}`,
  fault: { kind: "stall", ...at },
  sizeBytes: 24_000_000,
  outcome: "nothing",
  withinMs: SHORT_GIVEN_UP_MS,
}));
