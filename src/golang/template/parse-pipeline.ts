import { type ByteString, fromBytes } from "./byte-string.ts";
import type { Cursor } from "./cursor.ts";
import type { Token, TokenType } from "./lex.ts";
import type { CommandNode, Operand, PipeNode } from "./nodes.ts";
import { parseNumber } from "./numbers.ts";
import { unquote } from "./quote.ts";

/** Expressions in parentheses may be nested this deep (Go: 10,000; its stack is larger than ours). */
const DEEPEST_PARENS = 500;

const CONSTANTS: ReadonlySet<Operand["type"]> = new Set(["bool", "dot", "nil", "number", "string"]);
const OPERANDS: ReadonlySet<TokenType> = new Set([
  "bool",
  "char-constant",
  "complex",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "raw-string",
  "string",
  "variable",
  "left-paren",
]);

export interface PipelineParser {
  /** Names of the variables in scope, `$` included; whoever opens a scope shortens it again. */
  variables: ByteString[];
  /** Reads up to and with the token that ends it. */
  parse(context: string, end: "right" | "right-paren"): PipeNode;
}

/** Reads what stands between the delimiters: declarations, commands, operands. */
export function createPipelineParser(cursor: Cursor, functions: ReadonlySet<string>): PipelineParser {
  const { peek, next, peekNonSpace, fail, unexpected } = cursor;
  let parens = 0;

  const parsePipeline = (context: string, end: "right" | "right-paren"): PipeNode => {
    const { line } = peekNonSpace();
    const { names, isAssign } = parseDeclarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = peekNonSpace();
      if (token.type === end) {
        next();
        checkCommands(commands, context);
        return { type: "pipe", line, variables: names, isAssign, commands };
      }
      if (!OPERANDS.has(token.type)) unexpected(next(), context);
      commands.push(parseCommand());
    }
  };
  const parseDeclarations = (context: string): { names: ByteString[]; isAssign: boolean } => {
    const names: ByteString[] = [];
    for (;;) {
      const variable = peekNonSpace();
      if (variable.type !== "variable") return { names, isAssign: false };
      next();
      const blanks: Token[] = [];
      while (peek().type === "space") blanks.push(next());
      const following = peek();
      if (following.type === "assign" || following.type === "declare") {
        next();
        names.push(variable.text);
        self.variables.push(variable.text);
        return { names, isAssign: following.type === "assign" };
      }
      if (following.type !== "char" || following.text !== ",") {
        cursor.takeBack(variable, ...blanks);
        return { names, isAssign: false };
      }
      next();
      names.push(variable.text);
      self.variables.push(variable.text);
      if (context !== "range" || names.length >= 2) fail(`too many declarations in ${context}`);
      const after = peekNonSpace().type;
      if (after !== "variable" && after !== "right" && after !== "right-paren") {
        fail("range can only initialize variables");
      }
    }
  };
  const checkCommands = (commands: readonly CommandNode[], context: string): void => {
    if (commands.length === 0) fail(`missing value for ${context}`);
    commands.forEach((command, at) => {
      if (at > 0 && CONSTANTS.has(command.args[0].type)) fail(`non executable command in pipeline stage ${at + 1}`);
    });
  };
  const parseCommand = (): CommandNode => {
    const { line, at: start } = peekNonSpace();
    const args: Operand[] = [];
    for (;;) {
      const operand = parseOperand();
      if (operand !== undefined) args.push(operand);
      const token = peek();
      if (token.type === "space") {
        next();
        continue;
      }
      const source = cursor.textBetween(start, token.at).trim();
      if (token.type === "pipe") next();
      else if (token.type !== "right" && token.type !== "right-paren") unexpected(next(), "operand");
      const [first, ...rest] = args;
      return first === undefined ? fail("empty command") : { args: [first, ...rest], line, source };
    }
  };
  const parseOperand = (): Operand | undefined => {
    const { at: start } = peekNonSpace();
    const term = parseTerm();
    if (term === undefined || peek().type !== "field") return term;
    const fields: ByteString[] = [];
    while (peek().type === "field") fields.push(next().text.slice(1));
    const where = { line: term.line, source: cursor.textBetween(start, peek().at) };
    if (term.type === "field") return { ...where, type: "field", fields: [...term.fields, ...fields] };
    if (term.type === "variable")
      return { ...where, type: "variable", name: term.name, fields: [...term.fields, ...fields] };
    if (CONSTANTS.has(term.type)) return fail(`unexpected . after term "${term.source}"`);
    return { ...where, type: "chain", node: term, fields };
  };
  const parseTerm = (): Operand | undefined => {
    const token = peekNonSpace();
    const where = { line: token.line, source: fromBytes(token.text) };
    if (!OPERANDS.has(token.type)) return undefined;
    if (token.type === "left-paren") return parseNested(where);
    if (token.type === "identifier" && !functions.has(token.text)) {
      fail(`function "${fromBytes(token.text)}" not defined`);
    }
    if (token.type === "variable" && !self.variables.includes(token.text)) {
      fail(`undefined variable "${fromBytes(token.text)}"`);
    }
    next();
    if (token.type === "identifier") return { ...where, type: "identifier", name: token.text };
    if (token.type === "dot" || token.type === "nil") return { ...where, type: token.type };
    if (token.type === "bool") return { ...where, type: "bool", value: token.text === "true" };
    if (token.type === "field") return { ...where, type: "field", fields: [token.text.slice(1)] };
    if (token.type === "variable") return { ...where, type: "variable", name: token.text, fields: [] };
    if (token.type === "number" || token.type === "complex" || token.type === "char-constant") {
      const number = parseNumber(token.text, token.type) ?? fail(`bad number syntax: ${where.source}`);
      return { ...where, type: "number", number };
    }
    return { ...where, type: "string", text: unquote(token.text) ?? fail("invalid syntax") };
  };
  const parseNested = (where: { line: number; source: string }): Operand => {
    next();
    if (parens >= DEEPEST_PARENS) fail("max expression depth exceeded");
    parens += 1;
    const pipe = parsePipeline("parenthesized pipeline", "right-paren");
    parens -= 1;
    return { ...where, type: "nested", pipe };
  };

  const self: PipelineParser = { variables: ["$"], parse: parsePipeline };
  return self;
}
