import { CallError } from "./errors.ts";
import type { GoValue, Value } from "./types.ts";
import { unboxed } from "./values.ts";

const BASIC = new Set(["bool", "int", "uint", "float", "complex", "string"]);

/** Go templates' `eq`: whether the first argument equals any of the others. */
export function equalsAny(args: readonly Value[]): boolean {
  const [first, ...others] = args.map(unboxed);
  if (others.length === 0) throw new CallError("missing argument for comparison");
  // As Go, it stops at the first that is equal; a later one of another type is then never looked at.
  return others.some((other) => equal(first, other));
}

function equal(a: Value, b: Value): boolean {
  if (isInteger(a) && isInteger(b)) return a.v === b.v;
  const kindOf = (value: Value): string => (value !== undefined && BASIC.has(value.kind) ? value.kind : "other");
  if (kindOf(a) !== kindOf(b)) {
    if (a === undefined || b === undefined) return false;
    throw new CallError(`incompatible types for comparison: ${a.type.name} and ${b.type.name}`);
  }
  if (a === undefined || b === undefined || !BASIC.has(a.kind)) return equalOthers(a, b);
  if (a.kind === "complex" && b.kind === "complex") return a.v.re === b.v.re && a.v.im === b.v.im;
  return a.v === b.v;
}

function equalOthers(a: Value, b: Value): boolean {
  if (a !== undefined && b !== undefined && a.kind !== b.kind) {
    throw new CallError(`non-comparable types ${a.type.name} and ${b.type.name}`);
  }
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (b !== undefined && !isComparable(b)) throw new CallError(`non-comparable type ${b.type.name}`);
  if (a?.type.name !== b?.type.name) return false;
  return a !== undefined && b !== undefined && sameContent(a, b);
}

function isNil(value: Value): boolean {
  if (value === undefined) return true;
  return ["func", "interface", "map", "pointer", "slice"].includes(value.kind) && value.v === undefined;
}

function isComparable(value: GoValue): boolean {
  if (value.kind === "slice" || value.kind === "map" || value.kind === "func") return false;
  if (value.kind !== "struct") return true;
  return Object.values(value.v).every(isComparable);
}

function sameContent(a: GoValue, b: GoValue): boolean {
  if (a.kind === "pointer" || b.kind === "pointer") return a.v === b.v;
  if (a.kind === "struct" && b.kind === "struct") {
    return Object.entries(a.v).every(([name, value]) => {
      const other = b.v[name];
      return other !== undefined && sameContent(value, other);
    });
  }
  if (a.kind === "interface" && b.kind === "interface") return equal(a.v, b.v);
  return a.v === b.v;
}

/** Go templates' `lt`. */
export function isLess(first: Value, second: Value): boolean {
  const a = basic(first);
  const b = basic(second);
  if (isInteger(a) && isInteger(b)) return a.v < b.v;
  if (a.kind !== b.kind) throw new CallError(`incompatible types for comparison: ${a.type.name} and ${b.type.name}`);
  if (a.kind === "float" && b.kind === "float") return a.v < b.v;
  if (a.kind === "string" && b.kind === "string") return a.v < b.v;
  throw new CallError("invalid type for comparison");
}

function basic(value: Value): GoValue {
  const held = unboxed(value);
  if (held === undefined || !BASIC.has(held.kind)) throw new CallError("invalid type for comparison");
  return held;
}

function isInteger(value: Value): value is GoValue & { kind: "int" | "uint" } {
  return value?.kind === "int" || value?.kind === "uint";
}
