const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MICROSECOND = 1000n;

/**
 * Seconds for Node's `utimes`, which takes a floating-point number (as text, because a negative number would mean "now"). In
 * our times its steps are 238 ns, so nanoseconds can't be had; this is the nearest one within the same microsecond.
 */
export function utimesText(mtimeNs: bigint): string {
  const wanted = floorDivide(mtimeNs, NS_PER_MICROSECOND);
  const seconds = floorDivide(mtimeNs, NS_PER_SECOND);
  const fraction = Number(mtimeNs - seconds * NS_PER_SECOND) / 1e9;
  const nearest = Number(seconds) + fraction;
  for (const candidate of [nearest, neighbour(nearest, 1n), neighbour(nearest, -1n)]) {
    if (floorDivide(resultNs(candidate), NS_PER_MICROSECOND) === wanted) return String(candidate);
  }
  return String(nearest);
}

/** What the system call is given for that number. */
function resultNs(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * NS_PER_SECOND + BigInt(Math.trunc((seconds - whole) * 1e9));
}

/** The next floating-point number; `direction` 1n leads away from zero. */
function neighbour(value: number, direction: bigint): number {
  if (value === 0) return value;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + direction);
  return view.getFloat64(0);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
