import type { ByteString } from "./byte-string.ts";

/** What a template is made of once it is parsed. `line` counts from 1. */
export type Node =
  | TextNode
  | ActionNode
  | BranchNode
  | TemplateNode
  | { readonly type: "break" | "continue"; readonly line: number };

export interface TextNode {
  readonly type: "text";
  readonly text: ByteString;
  readonly line: number;
}

export interface ActionNode {
  readonly type: "action";
  readonly pipe: PipeNode;
  readonly line: number;
}

export interface BranchNode {
  readonly type: "if" | "with" | "range";
  readonly pipe: PipeNode;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
  readonly line: number;
}

export interface TemplateNode {
  readonly type: "template";
  readonly name: ByteString;
  readonly pipe: PipeNode | undefined;
  readonly line: number;
}

export interface PipeNode {
  readonly type: "pipe";
  readonly line: number;
  /** Names of the variables that it declares or sets, `$` included. */
  readonly variables: readonly ByteString[];
  readonly isAssign: boolean;
  readonly commands: readonly CommandNode[];
}

export interface CommandNode {
  /** The first one is what is called or evaluated. Never empty. */
  readonly args: readonly [Operand, ...Operand[]];
  readonly line: number;
  /** As written, for messages. */
  readonly source: string;
}

export type Operand = { readonly line: number; readonly source: string } & (
  | { readonly type: "identifier"; readonly name: ByteString }
  | { readonly type: "dot" }
  | { readonly type: "nil" }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "number"; readonly number: NumberConstant }
  | { readonly type: "string"; readonly text: ByteString }
  | { readonly type: "field"; readonly fields: readonly ByteString[] }
  | { readonly type: "variable"; readonly name: ByteString; readonly fields: readonly ByteString[] }
  | { readonly type: "chain"; readonly node: Operand; readonly fields: readonly ByteString[] }
  | { readonly type: "nested"; readonly pipe: PipeNode }
);

/** A constant in every type that it can have; which one it gets depends on where it is used. */
export interface NumberConstant {
  readonly text: string;
  readonly int: bigint | undefined;
  readonly uint: bigint | undefined;
  readonly float: number | undefined;
  readonly complex: { readonly re: number; readonly im: number } | undefined;
}
