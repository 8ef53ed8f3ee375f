import { type ByteString, toBytes } from "./byte-string.ts";
import { formatFloatVerb, formatInteger, hexWithPrefix } from "./format-number.ts";
import { type FormatState, pad, PLAIN } from "./format-state.ts";
import { formatString } from "./format-string.ts";
import { sortedEntries } from "./sort-keys.ts";
import type { GoValue, Value } from "./types.ts";

/** Values within values; a cycle can't be made, but a deep one must not exhaust the stack. */
const DEEPEST = 200;

/** Go's `%v` of one value. */
export function formatValue(value: Value): ByteString {
  return formatWith(value, "v", PLAIN);
}

/** One value under one verb, as Go's `fmt` prints an operand. */
export function formatWith(value: Value, verb: string, state: FormatState): ByteString {
  if (verb === "T") return formatString(value === undefined ? "<nil>" : value.type.name, "s", state);
  if (value === undefined) return verb === "v" ? pad("<nil>", state) : badVerb(undefined, verb, state);
  if (verb === "p") return value.kind === "pointer" ? pointerText(value, verb, state) : badVerb(value, verb, state);
  return format(value, verb, state, 0);
}

function format(value: GoValue, verb: string, state: FormatState, depth: number): ByteString {
  if (depth > DEEPEST) return "...";
  const own = state.sharpV ? undefined : ownText(value, verb);
  if (own !== undefined) return formatString(own, verb, state);
  switch (value.kind) {
    case "bool":
      return verb === "v" || verb === "t" ? pad(String(value.v), state) : badVerb(value, verb, state);
    case "int":
    case "uint":
      return formatInteger(value.v, value.kind === "int", verb, state) ?? badVerb(value, verb, state);
    case "float":
      return formatFloatVerb(value.v, verb, state) ?? badVerb(value, verb, state);
    case "complex": {
      const re = formatFloatVerb(value.v.re, verb, state);
      const im = formatFloatVerb(value.v.im, verb, { ...state, plus: true });
      return re === undefined || im === undefined ? badVerb(value, verb, state) : `(${re}${im}i)`;
    }
    case "string":
      return "vsxXq".includes(verb) ? formatString(value.v, verb, state) : badVerb(value, verb, state);
    case "map":
      return mapText(value, verb, state, depth);
    case "struct":
      return structText(value, verb, state, depth);
    case "slice":
      return sliceText(value, verb, state, depth);
    case "interface":
      if (value.v !== undefined) return format(value.v, verb, state, depth + 1);
      return state.sharpV ? `${value.type.name}(nil)` : "<nil>";
    case "pointer": {
      const isShown = depth === 0 && value.v !== undefined && ["slice", "struct", "map"].includes(value.v.kind);
      return isShown && value.v !== undefined
        ? `&${format(value.v, verb, state, depth + 1)}`
        : pointerText(value, verb, state);
    }
    case "func":
      return verb === "v" ? "<nil>" : badVerb(value, verb, state);
  }
}

/** What `Error` or `String` says, for the verbs that ask them. */
function ownText(value: GoValue, verb: string): ByteString | undefined {
  if (!"vsxXq".includes(verb) || value.kind === "interface") return undefined;
  const method = value.type.methods?.["Error"] ?? value.type.methods?.["String"];
  if (method === undefined || method.params.length > 0) return undefined;
  if (value.kind === "pointer" && value.v === undefined) return "<nil>";
  const said = method.call(value, []);
  return said?.kind === "string" ? said.v : undefined;
}

function mapText(value: GoValue & { kind: "map" }, verb: string, state: FormatState, depth: number): ByteString {
  if (state.sharpV && value.v === undefined) return `${value.type.name}(nil)`;
  const entries = sortedEntries(value).map(
    ([key, element]) => `${format(key, verb, state, depth + 1)}:${format(element, verb, state, depth + 1)}`,
  );
  return state.sharpV ? `${value.type.name}{${entries.join(", ")}}` : `map[${entries.join(" ")}]`;
}

function structText(value: GoValue & { kind: "struct" }, verb: string, state: FormatState, depth: number): ByteString {
  const fields = (value.type.fields ?? []).map(({ name }) => {
    const field = value.v[name];
    const held = field?.kind === "interface" && field.v !== undefined ? field.v : field;
    const shown = held === undefined ? "<nil>" : format(held, verb, state, depth + 1);
    return state.plusV || state.sharpV ? `${toBytes(name)}:${shown}` : shown;
  });
  return state.sharpV ? `${value.type.name}{${fields.join(", ")}}` : `{${fields.join(" ")}}`;
}

function sliceText(value: GoValue & { kind: "slice" }, verb: string, state: FormatState, depth: number): ByteString {
  const elements = value.v ?? [];
  if (value.type.elem?.name === "uint8" && "sqxX".includes(verb)) {
    return formatString(elements.map((byte) => String.fromCharCode(Number(byte.v))).join(""), verb, state);
  }
  if (state.sharpV) {
    if (value.v === undefined) return `${value.type.name}(nil)`;
    const isBytes = value.type.elem?.name === "uint8";
    const shown = elements.map((element) =>
      isBytes && element.kind === "uint" ? hexWithPrefix(element.v, state) : format(element, verb, state, depth + 1),
    );
    return `${isBytes ? "[]byte" : value.type.name}{${shown.join(", ")}}`;
  }
  return `[${elements.map((element) => format(element, verb, state, depth + 1)).join(" ")}]`;
}

/** Addresses mean nothing here; every value has the same one. */
const ADDRESS = 0xc000010000n;

function pointerText(value: GoValue & { kind: "pointer" }, verb: string, state: FormatState): ByteString {
  const address = value.v === undefined ? 0n : ADDRESS;
  if (verb === "v") {
    if (state.sharpV) return `(${value.type.name})(${address === 0n ? "nil" : hexWithPrefix(address, state)})`;
    return address === 0n ? pad("<nil>", state) : hexWithPrefix(address, state);
  }
  if (verb === "p") return hexWithPrefix(address, { ...state, sharp: !state.sharp });
  return (/[bodxX]/.test(verb) ? formatInteger(address, false, verb, state) : undefined) ?? badVerb(value, verb, state);
}

function badVerb(value: Value, verb: string, state: FormatState): ByteString {
  const shown = value === undefined ? "<nil>" : `${value.type.name}=${plainly(value, state)}`;
  return `%!${toBytes(verb)}(${shown})`;
}

/** Without asking `Error` or `String`, as Go does while it complains about a verb. */
function plainly(value: GoValue, state: FormatState): ByteString {
  const { methods: _methods, ...type } = value.type;
  return format({ ...value, type }, "v", state, 0);
}
