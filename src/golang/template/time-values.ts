import { formatDuration } from "../duration.ts";
import { DAYS, MONTHS } from "../strftime.ts";
import { fromBytes } from "./byte-string.ts";
import { CallError } from "./errors.ts";
import { formatTime, type Instant, shownTime } from "./time-format.ts";
import { type GoType, type GoValue, INT, INT64, type Method, STRING } from "./types.ts";
import { bool, float, integer, text } from "./values.ts";

/** `time.Duration`; nanoseconds. */
export function durationValue(nanoseconds: bigint): GoValue {
  return integer(nanoseconds, DURATION);
}

/** `time.Time`. `zone` is how it shows itself. */
export function timeValue(instant: Instant): GoValue {
  return {
    kind: "struct",
    type: TIME,
    v: {
      wall: integer(instant.nanos, INT64),
      ext: integer(instant.epochSeconds, INT64),
      loc: text(instant.zone),
    },
  };
}

const method = (call: (receiver: GoValue) => GoValue): Method => ({ params: [], call });

const nanosOf = (value: GoValue | undefined): bigint =>
  value !== undefined && (value.kind === "int" || value.kind === "uint") ? value.v : 0n;

const inUnits = (unit: bigint): Method =>
  method((receiver) => {
    const nanos = nanosOf(receiver);
    return float(Number(nanos / unit) + Number(nanos % unit) / Number(unit));
  });

export const DURATION: GoType = {
  kind: "int",
  name: "time.Duration",
  bits: 64,
  methods: {
    String: method((receiver) => text(formatDuration(nanosOf(receiver)))),
    Hours: inUnits(3_600_000_000_000n),
    Minutes: inUnits(60_000_000_000n),
    Seconds: inUnits(1_000_000_000n),
    Milliseconds: method((receiver) => integer(nanosOf(receiver) / 1_000_000n, INT64)),
    Microseconds: method((receiver) => integer(nanosOf(receiver) / 1_000n, INT64)),
    Nanoseconds: method((receiver) => integer(nanosOf(receiver), INT64)),
    Abs: method((receiver) => durationValue(nanosOf(receiver) < 0n ? -nanosOf(receiver) : nanosOf(receiver))),
    Round: {
      params: [durationLike()],
      call: (receiver, [to]) => durationValue(roundTo(nanosOf(receiver), nanosOf(to))),
    },
    Truncate: {
      params: [durationLike()],
      call: (receiver, [to]) =>
        durationValue(nanosOf(to) <= 0n ? nanosOf(receiver) : nanosOf(receiver) - (nanosOf(receiver) % nanosOf(to))),
    },
  },
};

/** The parameter's type, named before `DURATION` itself exists. */
function durationLike(): GoType {
  return { kind: "int", name: "time.Duration", bits: 64 };
}

/** Half away from zero, as Go's `Duration.Round`. */
function roundTo(nanos: bigint, to: bigint): bigint {
  if (to <= 0n) return nanos;
  const absolute = nanos < 0n ? -nanos : nanos;
  const rounded = ((absolute * 2n + to) / (to * 2n)) * to;
  return nanos < 0n ? -rounded : rounded;
}

const named = (name: string, names: readonly string[], first: number): GoType => ({
  kind: "int",
  name,
  bits: 64,
  methods: { String: method((receiver) => text(names[Number(nanosOf(receiver)) - first] ?? "")) },
});
const MONTH = named("time.Month", MONTHS, 1);
const WEEKDAY = named("time.Weekday", DAYS, 0);

/** The instant that a `time.Time` stands for. */
export function instantOf(value: GoValue): Instant {
  if (value.kind !== "struct") throw new CallError("not a time");
  const zone = value.v["loc"];
  return {
    epochSeconds: Number(nanosOf(value.v["ext"])),
    nanos: Number(nanosOf(value.v["wall"])),
    zone: zone?.kind === "string" ? fromBytes(zone.v) : "UTC",
  };
}

const part = (choose: (shown: ReturnType<typeof shownTime>) => number, type: GoType = INT): Method =>
  method((receiver) => integer(choose(shownTime(instantOf(receiver))), type));

const inZone = (zone: string): Method => method((receiver) => timeValue({ ...instantOf(receiver), zone }));

const unixIn = (perSecond: bigint): Method =>
  method((receiver) => {
    const { epochSeconds, nanos } = instantOf(receiver);
    return integer(BigInt(epochSeconds) * perSecond + BigInt(nanos) / (1_000_000_000n / perSecond), INT64);
  });

const totalNanos = (value: GoValue): bigint => {
  const { epochSeconds, nanos } = instantOf(value);
  return BigInt(epochSeconds) * 1_000_000_000n + BigInt(nanos);
};

const timeLike: GoType = { kind: "struct", name: "time.Time" };

const comparison = (decide: (own: bigint, other: bigint) => boolean): Method => ({
  params: [timeLike],
  call: (receiver, [other]) => bool(other !== undefined && decide(totalNanos(receiver), totalNanos(other))),
});

/** 0001-01-01T00:00:00Z, Go's zero time. */
const ZERO_SECONDS = -62_135_596_800;

const withNanos = (receiver: GoValue, total: bigint): GoValue => {
  const nanos = ((total % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return timeValue({
    ...instantOf(receiver),
    epochSeconds: Number((total - nanos) / 1_000_000_000n),
    nanos: Number(nanos),
  });
};

/** Nanoseconds since the last multiple of the unit; Go counts multiples from its zero time. */
const sinceMultiple = (receiver: GoValue, unit: bigint): bigint =>
  unit <= 0n ? 0n : (((totalNanos(receiver) - BigInt(ZERO_SECONDS) * 1_000_000_000n) % unit) + unit) % unit;

export const TIME: GoType = {
  kind: "struct",
  name: "time.Time",
  fields: [
    { name: "wall", type: INT64 },
    { name: "ext", type: INT64 },
    { name: "loc", type: STRING },
  ],
  jsonText: (value) => text(formatTime(instantOf(value), "2006-01-02T15:04:05.999999999Z07:00")),
  methods: {
    String: method((receiver) => text(formatTime(instantOf(receiver), "2006-01-02 15:04:05.999999999 -0700 MST"))),
    Format: {
      params: [STRING],
      call: (receiver, [layout]) =>
        text(formatTime(instantOf(receiver), layout?.kind === "string" ? fromBytes(layout.v) : "")),
    },
    Year: part((shown) => shown.year),
    Month: part((shown) => shown.month, MONTH),
    Day: part((shown) => shown.day),
    Hour: part((shown) => shown.hour),
    Minute: part((shown) => shown.minute),
    Second: part((shown) => shown.second),
    Nanosecond: part((shown) => shown.nanos),
    Weekday: part((shown) => shown.weekday, WEEKDAY),
    YearDay: part((shown) => shown.yearDay),
    Unix: unixIn(1n),
    UnixMilli: unixIn(1_000n),
    UnixMicro: unixIn(1_000_000n),
    UnixNano: unixIn(1_000_000_000n),
    UTC: inZone("UTC"),
    Local: inZone("Local"),
    IsZero: method((receiver) =>
      bool(instantOf(receiver).epochSeconds === ZERO_SECONDS && instantOf(receiver).nanos === 0),
    ),
    Equal: comparison((own, other) => own === other),
    Before: comparison((own, other) => own < other),
    After: comparison((own, other) => own > other),
    Compare: {
      params: [timeLike],
      call(receiver, [other]) {
        const difference = totalNanos(receiver) - (other === undefined ? 0n : totalNanos(other));
        return integer(difference < 0n ? -1 : difference > 0n ? 1 : 0, INT);
      },
    },
    Add: { params: [DURATION], call: (receiver, [by]) => withNanos(receiver, totalNanos(receiver) + nanosOf(by)) },
    Truncate: {
      params: [DURATION],
      call: (receiver, [to]) => withNanos(receiver, totalNanos(receiver) - sinceMultiple(receiver, nanosOf(to))),
    },
    Round: {
      params: [DURATION],
      call(receiver, [to]) {
        const unit = nanosOf(to);
        const since = sinceMultiple(receiver, unit);
        return withNanos(receiver, totalNanos(receiver) - since + (since * 2n < unit || since === 0n ? 0n : unit));
      },
    },
    Sub: {
      params: [timeLike],
      call: (receiver, [other]) =>
        durationValue(saturated(totalNanos(receiver) - (other === undefined ? 0n : totalNanos(other)))),
    },
  },
};

/** Go's `Time.Sub` stops at the ends of int64. */
function saturated(nanos: bigint): bigint {
  const most = 2n ** 63n - 1n;
  return nanos > most ? most : nanos < -most - 1n ? -most - 1n : nanos;
}
