import type { GoType, GoValue, Value } from "../../src/golang/template/types.ts";
import {
  ANY,
  INT,
  INT32,
  INT64,
  mapOf,
  pointerTo,
  STRING,
  UINT,
  UINT64,
  UINT8,
} from "../../src/golang/template/types.ts";
import * as make from "../../src/golang/template/values.ts";
import { durationValue, timeValue } from "../../src/golang/template/time-values.ts";
import { toBytes } from "../../src/golang/template/byte-string.ts";

/** A value as the recordings write it (`go/README.md`). */
export type Written = null | boolean | number | string | readonly Written[] | { readonly [key: string]: Written };

type Tagged = { readonly [key: string]: Written };

/** The value that a recording describes; `refer` finds the data sets that it names. */
export function readValue(written: Written, refer: (name: string) => Value, isFloat = false): Value {
  const read = (inner: Written): Value => readValue(inner, refer);
  if (written === null) return undefined;
  if (typeof written === "boolean") return make.bool(written);
  if (typeof written === "string") return make.text(written);
  if (typeof written === "number") {
    return Number.isInteger(written) && !isFloat ? make.integer(written) : make.float(written);
  }
  if (Array.isArray(written)) {
    return make.list(
      (written as readonly Written[]).map((item) => make.boxed(read(item))),
      ANY,
    );
  }
  const object = written as Tagged;
  const tag = Object.keys(object).find((key) => key.startsWith("$"));
  if (tag === undefined) return make.anyMap(Object.entries(object).map(([key, value]) => [key, read(value)]));
  return readTagged(tag, object, read, refer);
}

function readTagged(
  tag: string,
  object: Tagged,
  read: (inner: Written) => Value,
  refer: (name: string) => Value,
): Value {
  const value = object[tag] ?? null;
  const isNil = object["nil"] === true;
  const entries = (): (readonly [string, Written])[] => Object.entries(value as Tagged);
  switch (tag) {
    case "$ref":
      return refer(asText(value));
    case "$duration":
      return durationValue(BigInt(asText(value)));
    case "$time":
      return readTime(asText(value), asText(object["$zone"] ?? "UTC"));
    case "$uint":
      return make.integer(BigInt(asText(value)), UINT);
    case "$uint64":
      return make.integer(BigInt(asText(value)), UINT64);
    case "$int32":
      return make.integer(BigInt(asText(value)), INT32);
    case "$int64":
      return make.integer(BigInt(asText(value)), INT64);
    case "$float":
      return make.float(value === "NaN" ? Number.NaN : Number(value));
    case "$error":
      return make.errorValue(asText(value));
    case "$buffer":
      return make.bufferValue(asText(value));
    case "$bytes":
      return make.list(
        Array.from(Buffer.from(asText(value), "base64"), (byte) => make.integer(byte, UINT8)),
        UINT8,
      );
    case "$strings":
      return make.stringList(isNil ? undefined : (value as readonly string[]));
    case "$ints":
      return make.list(isNil ? undefined : (value as readonly number[]).map((item) => make.integer(item)), INT);
    case "$stringmap":
      return map(
        STRING,
        STRING,
        entries().map(([key, item]) => [toBytes(key), make.text(asText(item))]),
      );
    case "$intmap":
      return map(
        STRING,
        INT,
        entries().map(([key, item]) => [toBytes(key), make.integer(Number(item))]),
      );
    case "$intkeymap":
      return map(
        INT,
        STRING,
        entries().map(([key, item]) => [BigInt(key), make.text(asText(item))]),
      );
    case "$nilmap":
      return make.anyMap(undefined);
    case "$nilptr":
      return { kind: "pointer", type: NODE_POINTER, v: undefined };
    case "$node":
      return readNode(value as Tagged);
    case "$regexp":
      return make.regexpValue(asText(value));
    case "$struct":
      return readStruct(asText(value), object, read);
    default:
      throw new Error(`the recordings have a tag that this does not know: ${tag}`);
  }
}

function asText(written: Written): string {
  return typeof written === "string" ? written : JSON.stringify(written);
}

function map(key: GoType, elem: GoType, entries: readonly (readonly [string | bigint, GoValue])[]): GoValue {
  return { kind: "map", type: mapOf(key, elem), v: new Map(entries) };
}

function readTime(written: string, zone: string): GoValue {
  const [, seconds = "", fraction = "", rest = ""] = /^(.*?)(?:\.([0-9]+))?(Z|[+-][0-9:]+)$/.exec(written) ?? [];
  return timeValue({
    epochSeconds: Date.parse(`${seconds}${rest}`) / 1000,
    nanos: Number(fraction.padEnd(9, "0")),
    zone,
  });
}

const NODE: { kind: "struct"; name: string; fields: { name: string; type: GoType }[] } = {
  kind: "struct",
  name: "main.Node",
  fields: [],
};
const NODE_POINTER = pointerTo(NODE);
NODE.fields.push(
  { name: "Name", type: STRING },
  { name: "Next", type: NODE_POINTER },
  { name: "Tags", type: { kind: "slice", name: "[]string", elem: STRING } },
  { name: "N", type: INT },
);

function readNode(written: Tagged): GoValue {
  const next = written["Next"];
  const fields: Record<string, GoValue> = {
    Name: make.text(typeof written["Name"] === "string" ? written["Name"] : ""),
    Next:
      next === undefined || next === null
        ? { kind: "pointer", type: NODE_POINTER, v: undefined }
        : readNode(next as Tagged),
    Tags: make.stringList(written["Tags"] as readonly string[] | undefined),
    N: make.integer(Number(written["N"] ?? 0)),
  };
  return { kind: "pointer", type: NODE_POINTER, v: { kind: "struct", type: NODE, v: fields } };
}

/** The recordings sort their keys; these are the fields in the order of the program's structs, hidden ones last. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Stats: [
    "StartTime",
    "EndTime",
    "TookTime",
    "LockedTime",
    "LogOutput",
    "Containers",
    "Services",
    "BackupFile",
    "Storages",
  ],
  ContainersStats: ["All", "ToStop", "Stopped", "StopErrors"],
  ServicesStats: ["All", "ToScaleDown", "ScaledDown", "ScaleDownErrors"],
  BackupFileStats: ["Name", "FullPath", "Size"],
  StorageStats: ["Total", "Pruned", "PruneErrors"],
};

const COMPRESSION: GoType = {
  kind: "string",
  name: "main.CompressionType",
  methods: {
    String: { params: [], call: (receiver) => (receiver.kind === "string" ? { ...receiver, type: STRING } : receiver) },
  },
};

function readStruct(name: string, written: Tagged, read: (inner: Written) => Value): GoValue {
  const names = Object.keys(written).filter((key) => !key.startsWith("$"));
  const ordered = (FIELDS[name] ?? []).filter((key) => names.includes(key));
  const fields: Record<string, GoValue> = {};
  for (const key of [...ordered, ...names.filter((known) => !ordered.includes(known))]) {
    const value = read(written[key] ?? null);
    if (key === "Error") fields[key] = value ?? make.errorValue(undefined);
    else if (key === "BackupCompression" && value?.kind === "string") fields[key] = { ...value, type: COMPRESSION };
    else if (key === "Storages" && value?.kind === "map") fields[key] = ofOneType(value);
    else fields[key] = value ?? make.nilPointer({ kind: "struct", name: "main.Hidden", fields: [] });
  }
  const struct = make.struct(`main.${name}`, name === "Config" ? { ...fields, source: make.text("") } : fields);
  return name === "Config" || name === "Stats" ? make.pointer(struct) : struct;
}

/** A map whose values are all of the type of its first one. */
function ofOneType(written: GoValue & { kind: "map" }): GoValue {
  const held = [...(written.v ?? [])].flatMap(([key, value]) =>
    value.kind === "interface" && value.v !== undefined ? [[key, value.v] as const] : [],
  );
  return map(STRING, held[0]?.[1].type ?? ANY, held);
}
