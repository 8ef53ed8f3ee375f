import { type ByteString, fromBytes } from "./byte-string.ts";
import { CallError } from "./errors.ts";
import type { FunctionTable, GoFunction } from "./functions.ts";
import type { CommandNode, NumberConstant, Operand, PipeNode } from "./nodes.ts";
import { ANY, COMPLEX128, type GoType, INT, type Method, type ParamType, type Value } from "./types.ts";
import { bool, bytes, float, indirect, integer, isTrue, unboxed, zeroOf } from "./values.ts";

export interface Evaluator {
  pipeline(pipe: PipeNode, dot: Value): Value;
  /** How many variables there are; `release` forgets the later ones. */
  mark(): number;
  release(mark: number): void;
  /** `fromTop` 1 is the variable declared last. */
  setRangeVariable(name: ByteString, value: Value, fromTop: number, isAssign: boolean): void;
}

export interface EvaluatorOptions {
  /** What `$` is. */
  readonly root: Value;
  readonly functions: FunctionTable;
  fail(line: number, message: string): never;
  /** Work is bounded: a step for each command, and for each kilobyte that a function makes. */
  step(line: number, cost?: number): void;
}

const BYTES_A_STEP = 1024;

/** The value that the pipe hands to a command as its last argument; none for the first command. */
type Final = { readonly value: Value } | undefined;

/** Evaluates pipelines with the variables of one template's run. Follows Go's `text/template`, its errors included. */
export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const { functions, fail } = options;
  const variables: { readonly name: ByteString; value: Value }[] = [{ name: "$", value: options.root }];

  const variable = (name: ByteString, line: number): { value: Value } =>
    variables.findLast((entry) => entry.name === name) ?? fail(line, `undefined variable: ${fromBytes(name)}`);

  const pipeline = (pipe: PipeNode, dot: Value): Value => {
    let final: Final;
    for (const one of pipe.commands) {
      options.step(one.line);
      const value = command(one, dot, final);
      // An empty interface is what it holds; `error` stays what it is.
      final = { value: value?.kind === "interface" && value.type.name !== "error" ? value.v : value };
    }
    const value = final?.value;
    for (const name of pipe.variables) {
      if (pipe.isAssign) variable(name, pipe.line).value = value;
      else variables.push({ name, value });
    }
    return value;
  };

  const command = ({ args, line, source }: CommandNode, dot: Value, final: Final): Value => {
    const [first, ...rest] = args;
    const noArguments = (): void => {
      if (rest.length > 0 || final !== undefined) fail(line, `can't give argument to non-function ${first.source}`);
    };
    switch (first.type) {
      case "field":
        return fieldChain(dot, first.fields, first, { dot, args: rest, final });
      case "variable":
        if (first.fields.length === 0) {
          noArguments();
          return variable(first.name, first.line).value;
        }
        return fieldChain(variable(first.name, first.line).value, first.fields, first, { dot, args: rest, final });
      case "chain":
        return fieldChain(chainStart(first.node, dot), first.fields, first, { dot, args: rest, final });
      case "identifier":
        return callFunction(first.name, line, source, { dot, args: rest, final });
      case "nested":
        noArguments();
        return pipeline(first.pipe, dot);
      case "dot":
        noArguments();
        return dot;
      case "bool":
      case "number":
      case "string":
        noArguments();
        return constant(first);
      case "nil":
        return fail(line, "nil is not a command");
    }
  };

  const constant = (operand: Operand & { type: "bool" | "number" | "string" }): Value => {
    if (operand.type === "bool") return bool(operand.value);
    return operand.type === "string" ? bytes(operand.text) : idealNumber(operand.number, operand.line);
  };
  const idealNumber = (number: NumberConstant, line: number): Value => {
    if (number.complex !== undefined) return { kind: "complex", type: COMPLEX128, v: number.complex };
    const looksFloat =
      !/^.?0[xX][^pP]*$/.test(number.text) && !number.text.startsWith("'") && /[.eEpP]/.test(number.text);
    if (number.float !== undefined && looksFloat) return float(number.float);
    return number.int === undefined ? fail(line, `${number.text} overflows int`) : integer(number.int, INT);
  };

  interface CallSite {
    readonly dot: Value;
    readonly args: readonly Operand[];
    readonly final: Final;
  }
  const NO_ARGUMENTS = (dot: Value): CallSite => ({ dot, args: [], final: undefined });

  const chainStart = (node: Operand, dot: Value): Value =>
    node.type === "nil" ? fail(node.line, "indirection through explicit nil") : argument(node, undefined, dot);

  const fieldChain = (start: Value, fields: readonly ByteString[], node: Operand, site: CallSite): Value => {
    let receiver = start;
    fields.forEach((name, at) => {
      receiver = field(receiver, name, node, at === fields.length - 1 ? site : NO_ARGUMENTS(site.dot));
    });
    return receiver;
  };

  const field = (holder: Value, name: ByteString, node: Operand, site: CallSite): Value => {
    if (holder === undefined) return undefined;
    const { value: receiver, isNil } = indirect(holder);
    const typeName = holder.type.name;
    if (receiver === undefined || (receiver.kind === "interface" && isNil)) {
      return fail(node.line, `nil pointer evaluating ${typeName}.${fromBytes(name)}`);
    }
    const method = methodOf(holder, name);
    if (method !== undefined) return callMethod(method, name, node, site);
    const hasArguments = site.args.length > 0 || site.final !== undefined;
    if (receiver.kind === "struct") {
      const found = (receiver.type.fields ?? []).some((entry) => entry.name === name);
      if (found) {
        if (!/^\p{Lu}/u.test(fromBytes(name))) {
          fail(node.line, `${fromBytes(name)} is an unexported field of struct type ${typeName}`);
        }
        if (hasArguments) fail(node.line, `${name} has arguments but cannot be invoked as function`);
        return receiver.v[name];
      }
    }
    if (receiver.kind === "map" && receiver.type.key?.kind === "string") {
      if (hasArguments) fail(node.line, `${fromBytes(name)} is not a method but has arguments`);
      return receiver.v?.get(name);
    }
    if (receiver.kind === "pointer" && isNil) {
      fail(node.line, `nil pointer evaluating ${typeName}.${fromBytes(name)}`);
    }
    return fail(node.line, `can't evaluate field ${fromBytes(name)} in type ${typeName}`);
  };

  const callMethod = (found: BoundMethod, name: ByteString, node: Operand, site: CallSite): Value => {
    const { method, receiver } = found;
    const bound: GoFunction = {
      params: method.params,
      ...(method.variadic === true ? { variadic: true } : {}),
      call: (args) => method.call(receiver, args),
    };
    return call(bound, name, node.line, node.source, site);
  };

  const callFunction = (name: ByteString, line: number, source: string, site: CallSite): Value => {
    const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (found === undefined) return fail(line, `"${fromBytes(name)}" is not a defined function`);
    if (name === "and" || name === "or") return andOr(name, line, site);
    return call(found, name, line, source, site);
  };

  /** The first argument that decides, later ones are not evaluated; else the last. */
  const andOr = (name: "and" | "or", line: number, { dot, args, final }: CallSite): Value => {
    if (args.length === 0 && final === undefined) {
      fail(line, `wrong number of args for ${name}: want at least 1 got 0`);
    }
    let last: Value;
    for (const operand of args) {
      last = argument(operand, "value", dot);
      if (isTrue(unboxed(last)) === (name === "or")) return last;
    }
    return final === undefined ? last : final.value;
  };

  const call = (target: GoFunction, name: ByteString, line: number, source: string, site: CallSite): Value => {
    const { params, variadic } = target;
    const given = site.args.length + (site.final === undefined ? 0 : 1);
    const fixed = variadic === true ? params.length - 1 : params.length;
    if (variadic === true ? given < fixed : given !== fixed) {
      fail(line, `wrong number of args for ${name}: want ${variadic === true ? "at least " : ""}${fixed} got ${given}`);
    }
    const typeAt = (at: number): ParamType => params[Math.min(at, params.length - 1)] ?? ANY;
    const values = site.args.map((operand, at) => argument(operand, typeAt(at), site.dot));
    if (site.final !== undefined) values.push(validated(site.final.value, typeAt(values.length), line));
    try {
      const result = target.call(values);
      if (result?.kind === "string") options.step(line, Math.ceil(result.v.length / BYTES_A_STEP));
      return result;
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
      return fail(line, `executing at <${source}>: error calling ${name}: ${thrown.message}`);
    }
  };

  const argument = (operand: Operand, type: ParamType | undefined, dot: Value): Value => {
    const { line } = operand;
    const site = NO_ARGUMENTS(dot);
    switch (operand.type) {
      case "dot":
        return validated(dot, type, line);
      case "nil":
        if (type === "value") return undefined;
        if (type !== undefined && canBeNil(type)) return type.kind === "interface" ? undefined : zeroOf(type);
        return fail(line, `cannot assign nil to ${nameOf(type)}`);
      case "field":
        return validated(fieldChain(dot, operand.fields, operand, site), type, line);
      case "variable":
        return validated(fieldChain(variable(operand.name, line).value, operand.fields, operand, site), type, line);
      case "nested":
        return validated(pipeline(operand.pipe, dot), type, line);
      case "identifier":
        return validated(callFunction(operand.name, line, operand.source, site), type, line);
      case "chain":
        return validated(fieldChain(chainStart(operand.node, dot), operand.fields, operand, site), type, line);
      case "bool":
      case "number":
      case "string":
        return type === "value" || type === undefined || type.kind === "interface"
          ? constant(operand)
          : typedConstant(operand, type, line);
    }
  };

  const typedConstant = (
    operand: Operand & { type: "bool" | "number" | "string" },
    type: GoType,
    line: number,
  ): Value => {
    const refuse = (expected: string): never => fail(line, `expected ${expected}; found ${operand.source}`);
    const number = operand.type === "number" ? operand.number : undefined;
    if (type.kind === "bool") {
      return operand.type === "bool" ? { kind: "bool", type, v: operand.value } : refuse("bool");
    }
    if (type.kind === "string") return operand.type === "string" ? bytes(operand.text, type) : refuse("string");
    if (type.kind === "int") return number?.int === undefined ? refuse("integer") : integer(number.int, type);
    if (type.kind === "uint") {
      return number?.uint === undefined ? refuse("unsigned integer") : integer(number.uint, type);
    }
    if (type.kind === "float") {
      return number?.float === undefined ? refuse("float") : { kind: "float", type, v: number.float };
    }
    return fail(line, `can't handle ${operand.source} for arg of type ${type.name}`);
  };

  /** Whether a value may be handed to a parameter; pointers and interfaces are opened where that makes it fit. */
  const validated = (value: Value, type: ParamType | undefined, line: number): Value => {
    if (type === undefined || type === "value") return value;
    if (value === undefined) {
      if (!canBeNil(type)) fail(line, `invalid value; expected ${type.name}`);
      return type.kind === "interface" ? undefined : zeroOf(type);
    }
    if (type.kind === "interface") return unboxed(value);
    if (value.type.name === type.name) return value;
    const held = value.kind === "interface" && value.v !== undefined ? value.v : value;
    if (held.type.name === type.name) return held;
    if (held.kind === "pointer" && held.type.elem?.name === type.name) {
      return held.v ?? fail(line, `dereference of nil pointer of type ${type.name}`);
    }
    return fail(line, `wrong type for value; expected ${type.name}; got ${held.type.name}`);
  };

  return {
    pipeline,
    mark: () => variables.length,
    release(mark) {
      variables.length = mark;
    },
    setRangeVariable(name, value, fromTop, isAssign) {
      const entry = isAssign ? variable(name, 0) : variables.at(-fromTop);
      if (entry !== undefined) entry.value = value;
    },
  };
}

interface BoundMethod {
  readonly method: Method;
  readonly receiver: NonNullable<Value>;
}

/** A method of the value, or of a pointer to it on the way there. */
function methodOf(holder: NonNullable<Value>, name: ByteString): BoundMethod | undefined {
  for (
    let at: Value = holder;
    at !== undefined;
    at = at.kind === "pointer" || at.kind === "interface" ? at.v : undefined
  ) {
    const method = Object.hasOwn(at.type.methods ?? {}, name) ? at.type.methods?.[name] : undefined;
    if (method !== undefined) return { method, receiver: at };
  }
  return undefined;
}

function canBeNil(type: GoType): boolean {
  return ["interface", "map", "pointer", "slice", "func"].includes(type.kind);
}

function nameOf(type: ParamType | undefined): string {
  return type === undefined || type === "value" ? "reflect.Value" : type.name;
}
