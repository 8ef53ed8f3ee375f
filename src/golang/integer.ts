const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const INT64_MAX = 2n ** 63n - 1n;

/** Go's `strconv.ParseInt(text, 10, 32)`: an optional sign and ASCII digits; undefined when refused or out of range. */
export function parseInt32(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  if (value < INT32_MIN || value > INT32_MAX) return undefined;
  return value === 0 ? 0 : value;
}

/**
 * Go's `strconv.Atoi` on a 64-bit machine; undefined when refused or out of range. A number beyond 2^53 comes back
 * rounded, which no caller can notice: it is only compared with small bounds.
 */
export function parseInt64(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const significant = text.replace(/^([+-]?)0+(?=[0-9])/, "$1");
  if (significant.length > 20) return undefined;
  const value = BigInt(significant.startsWith("+") ? significant.slice(1) : significant);
  if (value > INT64_MAX || value < -INT64_MAX - 1n) return undefined;
  return Number(value);
}
