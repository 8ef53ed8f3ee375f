import { equalsAny, isLess } from "./compare.ts";
import { CallError } from "./errors.ts";
import { escapeHtml, escapeJs, escapeQuery } from "./escape.ts";
import type { FunctionTable, GoFunction } from "./functions.ts";
import { indexInto, lengthOf, sliceOff } from "./indexing.ts";
import { sprint, sprintf, sprintln } from "./printf.ts";
import { ANY, type ParamType, STRING, type Value } from "./types.ts";
import { bool, bytes, isTrue, unboxed } from "./values.ts";

/** Any number of arguments, but at least `least`. */
function variadic(param: ParamType, least: number, call: (args: readonly Value[]) => Value): GoFunction {
  return { params: Array.from({ length: least + 1 }, () => param), variadic: true, call };
}

const comparison = (call: (a: Value, b: Value) => boolean): GoFunction => ({
  params: ["value", "value"],
  call: ([a, b]) => bool(call(a, b)),
});

const isAtMost = (a: Value, b: Value): boolean => isLess(a, b) || equalsAny([a, b]);

/** The functions that every Go template has. `and` and `or` are evaluated by the interpreter, as they don't evaluate all arguments. */
export const BUILTINS: FunctionTable = {
  and: variadic("value", 1, ([value]) => value),
  or: variadic("value", 1, ([value]) => value),
  not: { params: ["value"], call: ([value]) => bool(!isTrue(unboxed(value))) },
  len: { params: ["value"], call: ([value]) => lengthOf(value) },
  index: variadic("value", 1, indexInto),
  slice: variadic("value", 1, sliceOff),
  print: variadic(ANY, 0, (args) => bytes(sprint(args))),
  println: variadic(ANY, 0, (args) => bytes(sprintln(args))),
  printf: {
    params: [STRING, ANY],
    variadic: true,
    call: ([format, ...args]) => bytes(sprintf(format?.kind === "string" ? format.v : "", args)),
  },
  html: variadic(ANY, 0, (args) => bytes(escapeHtml(args))),
  js: variadic(ANY, 0, (args) => bytes(escapeJs(args))),
  urlquery: variadic(ANY, 0, (args) => bytes(escapeQuery(args))),
  call: variadic("value", 1, ([target]) => {
    const held = unboxed(target);
    // The data holds no functions, so there is nothing that could be called.
    throw new CallError(held === undefined ? "call of nil" : `non-function of type ${held.type.name}`);
  }),
  eq: variadic("value", 1, (args) => bool(equalsAny(args))),
  ne: comparison((a, b) => !equalsAny([a, b])),
  lt: comparison(isLess),
  le: comparison(isAtMost),
  gt: comparison((a, b) => !isAtMost(a, b)),
  ge: comparison((a, b) => !isLess(a, b)),
};
