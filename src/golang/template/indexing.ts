import { CallError } from "./errors.ts";
import { type GoValue, INT, STRING, UINT8, type Value } from "./types.ts";
import { indirect, integer, unboxed, zeroOf } from "./values.ts";

/** Go templates' `index x 1 "key" …`. */
export function indexInto(args: readonly Value[]): Value {
  const [first, ...indexes] = args;
  let item = unboxed(first);
  if (item === undefined) throw new CallError("index of untyped nil");
  for (const given of indexes) {
    const { value, isNil } = indirect(item);
    if (isNil || value === undefined) throw new CallError("index of nil pointer");
    item = oneStep(value, unboxed(given));
  }
  return item;
}

function oneStep(item: GoValue, index: Value): Value {
  if (item.kind === "slice") {
    const elements = item.v ?? [];
    return elements[position(index, elements.length)] ?? outOfRange(index);
  }
  if (item.kind === "string") {
    const at = position(index, item.v.length);
    return at < item.v.length ? integer(item.v.charCodeAt(at), UINT8) : outOfRange(index);
  }
  if (item.kind === "map") {
    return item.v?.get(mapKey(item, index)) ?? zeroOf(item.type.elem ?? STRING);
  }
  throw new CallError(`can't index item of type ${item.type.name}`);
}

function outOfRange(index: Value): never {
  throw new CallError(`reflect: slice index out of range: ${index?.kind === "int" ? index.v : "?"}`);
}

function mapKey(map: GoValue & { kind: "map" }, index: Value): string | bigint {
  const type = map.type.key ?? STRING;
  if (index === undefined) {
    if (type.kind !== "interface") throw new CallError(`value is nil; should be of type ${type.name}`);
    return "";
  }
  if (type.kind === "string" && index.kind === "string" && index.type.name === type.name) return index.v;
  const isNumber = index.kind === "int" || index.kind === "uint";
  if ((type.kind === "int" || type.kind === "uint") && isNumber) return index.v;
  throw new CallError(`value has type ${index.type.name}; should be ${type.name}`);
}

function position(index: Value, capacity: number): number {
  if (index === undefined) throw new CallError("cannot index slice/array with nil");
  if (index.kind !== "int" && index.kind !== "uint") {
    throw new CallError(`cannot index slice/array with type ${index.type.name}`);
  }
  if (index.v < 0n || index.v > BigInt(capacity)) throw new CallError(`index out of range: ${index.v}`);
  return Number(index.v);
}

/** Go templates' `slice x 1 2 3`. */
export function sliceOff(args: readonly Value[]): Value {
  const [first, ...indexes] = args;
  const start = unboxed(first);
  if (start === undefined) throw new CallError("slice of untyped nil");
  const { value: item, isNil } = indirect(start);
  if (isNil || item === undefined) throw new CallError("slice of nil pointer");
  if (indexes.length > 3) throw new CallError(`too many slice indexes: ${indexes.length}`);
  if (item.kind === "string" && indexes.length === 3) throw new CallError("cannot 3-index slice a string");
  if (item.kind !== "string" && item.kind !== "slice")
    throw new CallError(`can't slice item of type ${item.type.name}`);
  // A slice of a slice reaches to the end of what it was cut from.
  const whole = item.kind === "slice" ? (item.capacity ?? item.v ?? []) : [];
  const capacity = item.kind === "string" ? item.v.length : whole.length;
  const [from = 0, to = item.v?.length ?? 0, limit] = indexes.map((index) => position(index, capacity));
  if (from > to) throw new CallError(`invalid slice index: ${from} > ${to}`);
  if (limit !== undefined && to > limit) throw new CallError(`invalid slice index: ${to} > ${limit}`);
  if (item.kind === "string") return { ...item, v: item.v.slice(from, to) };
  return { ...item, v: whole.slice(from, to), capacity: whole.slice(from, limit ?? whole.length) };
}

/** Go templates' `len`, in bytes for a string. */
export function lengthOf(given: Value): Value {
  const { value, isNil } = indirect(given);
  if (isNil) throw new CallError("len of nil pointer");
  if (value === undefined) throw new CallError("reflect: call of reflect.Value.Type on zero Value");
  if (value.kind === "map") return integer(value.v?.size ?? 0, INT);
  if (value.kind !== "slice" && value.kind !== "string") throw new CallError(`len of type ${value.type.name}`);
  return integer(value.v?.length ?? 0, INT);
}
