import type { ByteString } from "./byte-string.ts";

/** Groups of Go's reflect kinds: within a group only sizes differ, and they stand in the type's name. */
export type Kind =
  | "bool"
  | "int"
  | "uint"
  | "float"
  | "complex"
  | "string"
  | "slice"
  | "map"
  | "struct"
  | "pointer"
  | "interface"
  | "func";

export interface GoType {
  readonly kind: Kind;
  /** As `%T` prints it: `int`, `[]string`, `map[string]interface {}`, `time.Duration`. */
  readonly name: string;
  /** Of a slice, map or pointer. */
  readonly elem?: GoType;
  readonly key?: GoType;
  /** Of a struct, in order. A name that does not begin with an upper-case letter is unexported. */
  readonly fields?: readonly { readonly name: string; readonly type: GoType }[];
  /** Width of a number in bits. */
  readonly bits?: number;
  /** Callable from a template; `String` and `Error` also decide how a value prints. */
  readonly methods?: Readonly<Record<string, Method>>;
  /** What `toJson` writes as a string instead of the value itself; undefined where it is written as its kind. */
  jsonText?(value: GoValue): Value;
}

export interface Method {
  /** Types of the arguments; the last one is the element type where `variadic`. */
  readonly params: readonly ParamType[];
  readonly variadic?: boolean;
  call(receiver: GoValue, args: readonly Value[]): Value;
}

/** `any` takes everything; `value` as well, and sees the difference between nil and missing. */
export type ParamType = GoType | "value";

/** reflect's zero Value, "no value": what a missing key gives. */
export type Value = GoValue | undefined;

export type GoValue =
  | { readonly kind: "bool"; readonly type: GoType; readonly v: boolean }
  | { readonly kind: "int" | "uint"; readonly type: GoType; readonly v: bigint }
  | { readonly kind: "float"; readonly type: GoType; readonly v: number }
  | { readonly kind: "complex"; readonly type: GoType; readonly v: { readonly re: number; readonly im: number } }
  | { readonly kind: "string"; readonly type: GoType; readonly v: ByteString }
  | {
      readonly kind: "slice";
      readonly type: GoType;
      readonly v: readonly GoValue[] | undefined;
      readonly capacity?: readonly GoValue[];
    }
  | { readonly kind: "map"; readonly type: GoType; readonly v: ReadonlyMap<string | bigint, GoValue> | undefined }
  | { readonly kind: "struct"; readonly type: GoType; readonly v: Readonly<Record<string, GoValue>> }
  | { readonly kind: "pointer"; readonly type: GoType; readonly v: GoValue | undefined }
  | { readonly kind: "interface"; readonly type: GoType; readonly v: GoValue | undefined }
  | { readonly kind: "func"; readonly type: GoType; readonly v: undefined };

export const BOOL: GoType = { kind: "bool", name: "bool" };
export const INT: GoType = { kind: "int", name: "int", bits: 64 };
export const INT32: GoType = { kind: "int", name: "int32", bits: 32 };
export const INT64: GoType = { kind: "int", name: "int64", bits: 64 };
export const UINT: GoType = { kind: "uint", name: "uint", bits: 64 };
export const UINT8: GoType = { kind: "uint", name: "uint8", bits: 8 };
export const UINT64: GoType = { kind: "uint", name: "uint64", bits: 64 };
export const FLOAT64: GoType = { kind: "float", name: "float64", bits: 64 };
export const COMPLEX128: GoType = { kind: "complex", name: "complex128" };
export const STRING: GoType = { kind: "string", name: "string" };
export const ANY: GoType = { kind: "interface", name: "interface {}" };
export const ERROR: GoType = { kind: "interface", name: "error" };

export function sliceOf(elem: GoType): GoType {
  return { kind: "slice", name: `[]${elem.name}`, elem };
}

export function mapOf(key: GoType, elem: GoType): GoType {
  return { kind: "map", name: `map[${key.name}]${elem.name}`, key, elem };
}

export function pointerTo(elem: GoType, methods?: Readonly<Record<string, Method>>): GoType {
  return { kind: "pointer", name: `*${elem.name}`, elem, ...(methods === undefined ? {} : { methods }) };
}
