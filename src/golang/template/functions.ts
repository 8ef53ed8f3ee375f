import type { ParamType, Value } from "./types.ts";

/** A function that templates may call. Throws `CallError` for what it refuses. */
export interface GoFunction {
  readonly params: readonly ParamType[];
  /** The last of `params` may come any number of times, also never. */
  readonly variadic?: boolean;
  call(args: readonly Value[]): Value;
}

export type FunctionTable = Readonly<Record<string, GoFunction>>;
