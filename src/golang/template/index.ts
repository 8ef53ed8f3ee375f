import { BUILTINS } from "./builtins.ts";
import { type ByteString, fromBytes, toBytes } from "./byte-string.ts";
import { TemplateRunError, TemplateSyntaxError } from "./errors.ts";
import type { FunctionTable } from "./functions.ts";
import type { Node } from "./nodes.ts";
import { isEmpty, parseTemplate } from "./parse.ts";
import { runTemplate } from "./run.ts";
import type { Value } from "./types.ts";

export { TemplateRunError, TemplateSyntaxError };

export interface TemplateFile {
  /** Base name: it stands in messages, and names the file's own text. */
  readonly name: string;
  readonly text: string;
}

export interface RunLimits {
  readonly mostSteps?: number;
  readonly mostOutputBytes?: number;
}

/** Named templates that may call each other, in Go's `text/template` language. */
export interface TemplateSet {
  /** The set with one more file: its definitions replace earlier ones, unless they are empty. Throws `TemplateSyntaxError`. */
  add(file: TemplateFile): TemplateSet;
  has(name: string): boolean;
  /** What a template writes. Throws `TemplateRunError`; a template can't run forever or write without end. */
  run(name: string, data: Value, limits?: RunLimits): string;
}

/** An empty set whose templates may call Go's own functions and `functions`. */
export function createTemplateSet(functions: FunctionTable = {}): TemplateSet {
  return withBodies(new Map(), { ...BUILTINS, ...functions });
}

interface Body {
  readonly nodes: readonly Node[];
  readonly fileName: string;
}

function withBodies(bodies: ReadonlyMap<ByteString, Body>, functions: FunctionTable): TemplateSet {
  const names = new Set(Object.keys(functions));
  return {
    add(file) {
      const parsed = withinStack(
        () => parseTemplate(file.name, toBytes(file.text), names),
        () => new TemplateSyntaxError(file.name, 1, "it is nested too deeply"),
      );
      const merged = new Map(bodies);
      for (const [name, nodes] of parsed.bodies) {
        if (!isEmpty(nodes) || !merged.has(name)) merged.set(name, { nodes, fileName: file.name });
      }
      return withBodies(merged, functions);
    },
    has: (name) => bodies.has(toBytes(name)),
    run(name, data, limits = {}) {
      const start = toBytes(name);
      return withinStack(
        () => fromBytes(runTemplate(start, data, { templates: bodies, functions, ...limits })),
        () => new TemplateRunError(name, 1, "it is nested too deeply"),
      );
    },
  };
}

/** A hostile file may be nested deeper than the stack goes: that is its error, and not the program's. */
function withinStack<T>(work: () => T, tooDeep: () => Error): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof RangeError) throw tooDeep();
    throw thrown;
  }
}
