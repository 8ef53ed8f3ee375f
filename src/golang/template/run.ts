import { type ByteString, fromBytes } from "./byte-string.ts";
import { TemplateRunError } from "./errors.ts";
import { createEvaluator, type Evaluator } from "./evaluate.ts";
import { formatValue } from "./format-value.ts";
import type { FunctionTable } from "./functions.ts";
import type { ActionNode, BranchNode, Node, TemplateNode } from "./nodes.ts";
import { printable } from "./printable.ts";
import { sortedEntries } from "./sort-keys.ts";
import type { GoValue, Value } from "./types.ts";
import { indirect, integer, isTrue, unboxed } from "./values.ts";

export interface RunOptions {
  /** Bodies by name, with the file that each is from. */
  readonly templates: ReadonlyMap<ByteString, { readonly nodes: readonly Node[]; readonly fileName: string }>;
  readonly functions: FunctionTable;
  /** Nodes, calls and rounds in all; a template that runs longer would run forever. */
  readonly mostSteps?: number;
  readonly mostOutputBytes?: number;
}

const MOST_STEPS = 1_000_000;
const MOST_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Templates within templates (Go: 100,000; its stack is larger than ours). */
const DEEPEST = 200;

type Flow = "on" | "break" | "continue";

/** Runs one of the templates on `data`. Gives what it wrote; throws `TemplateRunError` with the line. */
export function runTemplate(name: ByteString, data: Value, options: RunOptions): ByteString {
  const output: ByteString[] = [];
  let outputBytes = 0;
  let steps = 0;
  let depth = 0;
  let line = 1;
  let fileName = fromBytes(name);

  const fail = (message: string): never => {
    throw new TemplateRunError(fileName, line, message);
  };
  const step = (at: number, cost = 1): void => {
    line = at;
    steps += cost;
    if (steps > (options.mostSteps ?? MOST_STEPS)) fail("the template takes too many steps; does it call itself?");
  };
  const write = (bytes: ByteString): void => {
    outputBytes += bytes.length;
    if (outputBytes > (options.mostOutputBytes ?? MOST_OUTPUT_BYTES)) fail("the template writes too much");
    output.push(bytes);
  };

  const walkAll = (nodes: readonly Node[], dot: Value, evaluator: Evaluator): Flow => {
    for (const node of nodes) {
      const flow = walk(node, dot, evaluator);
      if (flow !== "on") return flow;
    }
    return "on";
  };
  const walk = (node: Node, dot: Value, evaluator: Evaluator): Flow => {
    step(node.line);
    switch (node.type) {
      case "text":
        write(node.text);
        return "on";
      case "action":
        walkAction(node, dot, evaluator);
        return "on";
      case "break":
      case "continue":
        return node.type;
      case "if":
      case "with":
        return walkChoice(node, dot, evaluator);
      case "range":
        return walkRange(node, dot, evaluator);
      case "template":
        walkTemplate(node, dot, evaluator);
        return "on";
    }
  };
  const walkAction = ({ pipe }: ActionNode, dot: Value, evaluator: Evaluator): void => {
    const value = evaluator.pipeline(pipe, dot);
    if (pipe.variables.length > 0) return;
    if (value?.kind === "func") fail(`can't print a value of type ${value.type.name}`);
    write(printed(value));
  };
  const walkChoice = (node: BranchNode, dot: Value, evaluator: Evaluator): Flow => {
    const mark = evaluator.mark();
    const value = evaluator.pipeline(node.pipe, dot);
    const flow = isTrue(unboxed(value))
      ? walkAll(node.body, node.type === "with" ? value : dot, evaluator)
      : walkAll(node.otherwise ?? [], dot, evaluator);
    evaluator.release(mark);
    return flow;
  };
  const walkRange = (node: BranchNode, dot: Value, evaluator: Evaluator): Flow => {
    const outer = evaluator.mark();
    const { value } = indirect(evaluator.pipeline(node.pipe, dot));
    const inner = evaluator.mark();
    const { variables, isAssign } = node.pipe;
    let rounds = 0;
    for (const [key, element] of roundsOf(value, variables.length)) {
      rounds += 1;
      step(node.line);
      const [first = "", second = ""] = variables;
      if (variables.length === 1) evaluator.setRangeVariable(first, element, 1, isAssign);
      if (variables.length === 2) {
        evaluator.setRangeVariable(second, element, 1, isAssign);
        evaluator.setRangeVariable(first, key, 2, isAssign);
      }
      const flow = walkAll(node.body, element, evaluator);
      evaluator.release(inner);
      if (flow === "break") break;
    }
    const flow = rounds === 0 ? walkAll(node.otherwise ?? [], dot, evaluator) : "on";
    evaluator.release(outer);
    // A `break` in `else` belongs to the loop around it, but Go's ends with this one.
    return flow === "break" ? "on" : flow;
  };
  function* roundsOf(value: Value, variables: number): Generator<readonly [Value, Value]> {
    if (value === undefined) return;
    if (value.kind === "int" || value.kind === "uint") {
      if (variables > 1) fail(`can't use ${shown(value)} to iterate over more than one variable`);
      for (let at = 0n; at < value.v; at += 1n) yield [undefined, integer(at, value.type)];
    } else if (value.kind === "slice") {
      for (const [at, element] of (value.v ?? []).entries()) yield [integer(at), element];
    } else if (value.kind === "map") {
      yield* sortedEntries(value);
    } else {
      fail(`range can't iterate over ${shown(value)}`);
    }
  }
  const walkTemplate = (node: TemplateNode, dot: Value, evaluator: Evaluator): void => {
    const target = options.templates.get(node.name) ?? fail(`template "${fromBytes(node.name)}" not defined`);
    if (depth >= DEEPEST) fail(`exceeded maximum template depth (${DEEPEST})`);
    const argument = node.pipe === undefined ? undefined : evaluator.pipeline(node.pipe, dot);
    const caller = fileName;
    fileName = target.fileName;
    depth += 1;
    walkAll(target.nodes, argument, newEvaluator(argument));
    depth -= 1;
    fileName = caller;
  };
  const newEvaluator = (root: Value): Evaluator =>
    createEvaluator({
      root,
      functions: options.functions,
      fail: (at, message) => {
        line = at;
        return fail(message);
      },
      step,
    });

  const start = options.templates.get(name) ?? fail(`"${fromBytes(name)}" is not defined`);
  fileName = start.fileName;
  walkAll(start.nodes, data, newEvaluator(data));
  return output.join("");
}

/** What an action writes: nothing at all reads `<no value>`. */
function printed(value: Value): ByteString {
  return value === undefined ? "<no value>" : formatValue(printable(value));
}

function shown(value: GoValue): string {
  return fromBytes(formatValue(value)).slice(0, 100);
}
