import { toBytes } from "./byte-string.ts";
import {
  ANY,
  BOOL,
  ERROR,
  FLOAT64,
  type GoType,
  type GoValue,
  INT,
  mapOf,
  pointerTo,
  sliceOf,
  STRING,
  type Value,
} from "./types.ts";

export function bool(v: boolean): GoValue {
  return { kind: "bool", type: BOOL, v };
}

/** `text` is ordinary text. */
export function text(value: string): GoValue {
  return bytes(toBytes(value));
}

/** `v` is a byte string. */
export function bytes(v: string, type: GoType = STRING): GoValue {
  return { kind: "string", type, v };
}

/** Wraps around as Go's integers of that width do. */
export function integer(v: bigint | number, type: GoType = INT): GoValue {
  const wide = BigInt(v);
  const bits = type.bits ?? 64;
  return type.kind === "uint"
    ? { kind: "uint", type, v: BigInt.asUintN(bits, wide) }
    : { kind: "int", type, v: BigInt.asIntN(bits, wide) };
}

export function float(v: number): GoValue {
  return { kind: "float", type: FLOAT64, v };
}

/** A value in an interface; undefined is the nil interface. */
export function boxed(v: Value, type: GoType = ANY): GoValue {
  return { kind: "interface", type, v: v?.kind === "interface" ? v.v : v };
}

export function list(items: readonly GoValue[] | undefined, elem: GoType): GoValue {
  return { kind: "slice", type: sliceOf(elem), v: items };
}

export function stringList(items: readonly string[] | undefined): GoValue {
  return list(items?.map(text), STRING);
}

/** `map[string]any`; the keys are ordinary text. */
export function anyMap(entries: Iterable<readonly [string, Value]> | undefined): GoValue {
  const type = mapOf(STRING, ANY);
  if (entries === undefined) return { kind: "map", type, v: undefined };
  return { kind: "map", type, v: new Map([...entries].map(([key, value]) => [toBytes(key), boxed(value)])) };
}

/** A struct type's fields are those of `fields`, in order. */
export function struct(name: string, fields: Readonly<Record<string, GoValue>>, extra: Partial<GoType> = {}): GoValue {
  const type: GoType = {
    kind: "struct",
    name,
    fields: Object.entries(fields).map(([field, value]) => ({ name: field, type: value.type })),
    ...extra,
  };
  return { kind: "struct", type, v: fields };
}

export function pointer(target: GoValue): GoValue {
  return { kind: "pointer", type: pointerTo(target.type), v: target };
}

export function nilPointer(elem: GoType): GoValue {
  return { kind: "pointer", type: pointerTo(elem), v: undefined };
}

const ERROR_STRING: GoType = pointerTo(
  { kind: "struct", name: "errors.errorString", fields: [{ name: "s", type: STRING }] },
  { Error: { params: [], call: (receiver) => innerText(receiver, "s") } },
);

/** An `error` as a field holds it; undefined is nil. */
export function errorValue(message: string | undefined): GoValue {
  if (message === undefined) return { kind: "interface", type: ERROR, v: undefined };
  const elem: GoType = ERROR_STRING.elem ?? ANY;
  const target: GoValue = { kind: "struct", type: elem, v: { s: text(message) } };
  return { kind: "interface", type: ERROR, v: { kind: "pointer", type: ERROR_STRING, v: target } };
}

/** Follows pointers and interfaces down to what they hold, or to the nil at their end. */
export function indirect(value: Value): { readonly value: Value; readonly isNil: boolean } {
  let at = value;
  while (at !== undefined && (at.kind === "pointer" || at.kind === "interface")) {
    if (at.v === undefined) return { value: at, isNil: true };
    at = at.v;
  }
  return { value: at, isNil: false };
}

/** What an interface holds; nil is no value. */
export function unboxed(value: Value): Value {
  return value?.kind === "interface" ? value.v : value;
}

/** Go templates' truth: not the zero value of its type; structs are always true. */
export function isTrue(value: Value): boolean {
  if (value === undefined) return false;
  switch (value.kind) {
    case "bool":
      return value.v;
    case "int":
    case "uint":
      return value.v !== 0n;
    case "float":
      return value.v !== 0;
    case "complex":
      return value.v.re !== 0 || value.v.im !== 0;
    case "string":
      return value.v.length > 0;
    case "slice":
      return (value.v?.length ?? 0) > 0;
    case "map":
      return (value.v?.size ?? 0) > 0;
    case "pointer":
    case "interface":
      return value.v !== undefined;
    case "struct":
    case "func":
      return true;
  }
}

/** The zero value of a type, as indexing a map for a missing key gives. */
export function zeroOf(type: GoType): GoValue {
  switch (type.kind) {
    case "bool":
      return { kind: "bool", type, v: false };
    case "int":
    case "uint":
      return { kind: type.kind, type, v: 0n };
    case "float":
      return { kind: "float", type, v: 0 };
    case "complex":
      return { kind: "complex", type, v: { re: 0, im: 0 } };
    case "string":
      return { kind: "string", type, v: "" };
    case "slice":
      return { kind: "slice", type, v: undefined };
    case "map":
      return { kind: "map", type, v: undefined };
    case "struct":
      return {
        kind: "struct",
        type,
        v: Object.fromEntries((type.fields ?? []).map((field) => [field.name, zeroOf(field.type)])),
      };
    case "pointer":
    case "interface":
      return { kind: type.kind, type, v: undefined };
    case "func":
      return { kind: "func", type, v: undefined };
  }
}

/** `*bytes.Buffer`, as a template sees a log: it prints its text, and has no length. */
export function bufferValue(content: string): GoValue {
  const target: GoValue = { kind: "struct", type: BUFFER, v: { buf: text(content) } };
  return { kind: "pointer", type: BUFFER_POINTER, v: target };
}

const BUFFER: GoType = { kind: "struct", name: "bytes.Buffer", fields: [{ name: "buf", type: STRING }] };
const BUFFER_POINTER: GoType = pointerTo(BUFFER, {
  String: { params: [], call: (receiver) => innerText(receiver, "buf") },
  Len: { params: [], call: (receiver) => integer(lengthIn(receiver)) },
});

/** `*regexp.Regexp`, which prints its pattern. */
export function regexpValue(pattern: string): GoValue {
  const target: GoValue = { kind: "struct", type: REGEXP, v: { expr: text(pattern) } };
  return { kind: "pointer", type: REGEXP_POINTER, v: target };
}

const REGEXP: GoType = { kind: "struct", name: "regexp.Regexp", fields: [{ name: "expr", type: STRING }] };
const REGEXP_POINTER: GoType = {
  ...pointerTo(REGEXP, { String: { params: [], call: (receiver) => innerText(receiver, "expr") } }),
  jsonText: (receiver) =>
    receiver.kind === "pointer" && receiver.v !== undefined ? innerText(receiver, "expr") : undefined,
};

function innerText(receiver: GoValue, field: string): GoValue {
  const inner = receiver.kind === "pointer" && receiver.v?.kind === "struct" ? receiver.v.v[field] : undefined;
  return inner ?? bytes("");
}

function lengthIn(receiver: GoValue): number {
  const inner = innerText(receiver, "buf");
  return inner.kind === "string" ? inner.v.length : 0;
}
