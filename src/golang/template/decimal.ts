/** Go's `strconv.FormatFloat` for 64-bit floats; every digit is exact, ties go to even. */
export function formatFloat(value: number, format: string, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const absolute = Math.abs(value);
  switch (format) {
    case "b":
      return sign + binaryExponent(absolute);
    case "x":
    case "X": {
      const text = sign + hexFloat(absolute, precision);
      return format === "X" ? text.toUpperCase() : text;
    }
    case "f":
      return sign + fixed(precision < 0 ? shortest(absolute) : rounded(absolute, { fraction: precision }), precision);
    case "e":
    case "E":
      return (
        sign +
        exponential(
          precision < 0 ? shortest(absolute) : rounded(absolute, { digits: precision + 1 }),
          precision,
          format,
        )
      );
    default:
      return sign + general(absolute, precision, format === "G" ? "E" : "e");
  }
}

/** 0.`digits` x 10^`point`. Zero has no digits. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

function general(value: number, precision: number, letter: string): string {
  const isShortest = precision < 0;
  const wanted = precision === 0 ? 1 : precision;
  const decimal = isShortest ? shortest(value) : rounded(value, { digits: wanted });
  let threshold = wanted;
  if (threshold > decimal.digits.length && decimal.digits.length >= decimal.point) threshold = decimal.digits.length;
  if (isShortest) threshold = 6;
  const exponent = decimal.point - 1;
  const digits = isShortest ? decimal.digits.length : Math.min(wanted, decimal.digits.length);
  if (exponent < -4 || exponent >= threshold) {
    return exponential(decimal, Math.max(digits - 1, 0), letter);
  }
  return fixed(decimal, Math.max(decimal.digits.length - decimal.point, 0));
}

function fixed({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const places = precision < 0 ? Math.max(digits.length - point, 0) : precision;
  if (places === 0) return whole;
  const fraction = (point < 0 ? "0".repeat(Math.min(-point, places)) : "") + digits.slice(Math.max(point, 0));
  return `${whole}.${fraction.slice(0, places).padEnd(places, "0")}`;
}

function exponential({ digits, point }: Decimal, precision: number, letter: string): string {
  const exponent = digits === "" ? 0 : point - 1;
  const places = precision < 0 ? Math.max(digits.length - 1, 0) : precision;
  const fraction = places === 0 ? "" : `.${digits.slice(1, places + 1).padEnd(places, "0")}`;
  const shown = Math.abs(exponent).toString().padStart(2, "0");
  return `${digits.charAt(0) || "0"}${fraction}${letter}${exponent < 0 ? "-" : "+"}${shown}`;
}

function shortest(value: number): Decimal {
  if (value === 0) return { digits: "", point: 0 };
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  return { digits: mantissa.replace(".", ""), point: Number(exponent) + 1 };
}

/** All digits of the binary number. */
function exact(value: number): Decimal {
  if (value === 0) return { digits: "", point: 0 };
  const { mantissa, exponent } = binaryParts(value);
  const digits =
    exponent >= 0 ? (mantissa << BigInt(exponent)).toString() : (mantissa * 5n ** BigInt(-exponent)).toString();
  return { digits: digits.replace(/0+$/, ""), point: digits.length + Math.min(exponent, 0) };
}

function rounded(value: number, to: { readonly digits?: number; readonly fraction?: number }): Decimal {
  const decimal = exact(value);
  const keep = to.digits ?? decimal.point + (to.fraction ?? 0);
  if (keep >= decimal.digits.length) return decimal;
  if (keep < 0) return { digits: "", point: 0 };
  const kept = decimal.digits.slice(0, keep);
  const rest = decimal.digits.slice(keep);
  const isTie = /^50*$/.test(rest);
  const lastIsOdd = kept !== "" && Number(kept.at(-1)) % 2 === 1;
  const up = isTie ? lastIsOdd : rest.charAt(0) >= "5";
  if (!up) return { digits: kept.replace(/0+$/, ""), point: /^0*$/.test(kept) ? 0 : decimal.point };
  const raised = kept === "" ? "1" : (BigInt(kept) + 1n).toString();
  const carried = raised.length - kept.length;
  return { digits: raised.replace(/0+$/, ""), point: decimal.point + carried };
}

function binaryParts(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 };
}

function binaryExponent(value: number): string {
  const { mantissa, exponent } = binaryParts(value);
  return `${mantissa}p${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`;
}

function hexFloat(value: number, precision: number): string {
  if (value === 0) return `0x0${precision > 0 ? `.${"0".repeat(precision)}` : ""}p+00`;
  let { mantissa, exponent } = binaryParts(value);
  // One hexadecimal digit before the point, thirteen behind it.
  while (mantissa < 1n << 52n) {
    mantissa <<= 1n;
    exponent -= 1;
  }
  exponent += 52;
  if (precision >= 0 && precision < 13) {
    const shift = BigInt((13 - precision) * 4);
    const rest = mantissa & ((1n << shift) - 1n);
    const half = 1n << (shift - 1n);
    mantissa >>= shift;
    if (rest > half || (rest === half && mantissa % 2n === 1n)) mantissa += 1n;
    mantissa <<= shift;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      exponent += 1;
    }
  }
  const hex = mantissa.toString(16);
  const digits =
    precision < 0 ? hex.slice(1).replace(/0+$/, "") : hex.slice(1).padEnd(precision, "0").slice(0, precision);
  const shown = Math.abs(exponent).toString().padStart(2, "0");
  return `0x1${digits === "" ? "" : `.${digits}`}p${exponent < 0 ? "-" : "+"}${shown}`;
}
