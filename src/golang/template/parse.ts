import { type ByteString, fromBytes } from "./byte-string.ts";
import { trimGoSpace } from "../text.ts";
import { createCursor } from "./cursor.ts";
import type { Token } from "./lex.ts";
import type { Node } from "./nodes.ts";
import { createPipelineParser } from "./parse-pipeline.ts";
import { unquote } from "./quote.ts";

export interface ParsedTemplates {
  /** Bodies by name; the file's own text has the file's name. */
  readonly bodies: ReadonlyMap<ByteString, readonly Node[]>;
}

/** Blocks within blocks: Go has no bound, but its stack is larger than ours. */
const DEEPEST_BLOCKS = 400;

type Ending = { readonly keyword: "end" | "else"; readonly token: Token };

/** Reads one file. Functions must be known by name. Throws `TemplateSyntaxError` with the line. */
export function parseTemplate(name: string, text: ByteString, functions: ReadonlySet<string>): ParsedTemplates {
  const bodies = new Map<ByteString, readonly Node[]>();
  const cursor = createCursor(name, text);
  const { peek, next, peekNonSpace, nextNonSpace, expect, fail, unexpected } = cursor;
  const pipelines = createPipelineParser(cursor, functions);
  let rangeDepth = 0;
  let blocks = 0;

  const nameOf = (token: Token, context: string): ByteString => {
    if (token.type !== "string" && token.type !== "raw-string") unexpected(token, context);
    return unquote(token.text) ?? fail("invalid syntax");
  };
  const define = (templateName: ByteString, body: readonly Node[]): void => {
    const known = bodies.get(templateName);
    if (known === undefined || isEmpty(known)) bodies.set(templateName, body);
    else if (!isEmpty(body)) fail(`multiple definition of template "${fromBytes(templateName)}"`);
  };
  /** A definition sees only its own variables; those around it come back after it. */
  const inDefinition = (templateName: ByteString, context: string): void => {
    const outer = { variables: pipelines.variables, rangeDepth };
    pipelines.variables = ["$"];
    rangeDepth = 0;
    const { body, ending } = parseList();
    if (ending.keyword !== "end") fail(`unexpected {{else}} in ${context}`);
    pipelines.variables = outer.variables;
    rangeDepth = outer.rangeDepth;
    define(templateName, body);
  };

  const parseList = (): { body: Node[]; ending: Ending } => {
    blocks += 1;
    if (blocks > DEEPEST_BLOCKS) fail("too many blocks within blocks");
    const body: Node[] = [];
    while (peekNonSpace().type !== "end") {
      const node = parseTextOrAction();
      if ("keyword" in node) {
        blocks -= 1;
        return { body, ending: node };
      }
      body.push(node);
    }
    return fail("unexpected EOF");
  };
  const parseTextOrAction = (): Node | Ending => {
    const token = nextNonSpace();
    if (token.type === "text") return { type: "text", text: token.text, line: token.line };
    return token.type === "left" ? parseAction() : unexpected(token, "input");
  };
  const parseAction = (): Node | Ending => {
    const token = peekNonSpace();
    if (token.type !== "keyword") {
      return { type: "action", line: token.line, pipe: pipelines.parse("command", "right") };
    }
    next();
    switch (token.text) {
      case "if":
      case "with":
      case "range":
        return parseBranch(token.text, token);
      case "end":
        expect("right", "end");
        return { keyword: "end", token };
      case "else": {
        const following = peekNonSpace();
        const isChained = following.type === "keyword" && (following.text === "if" || following.text === "with");
        if (!isChained) expect("right", "else");
        return { keyword: "else", token };
      }
      case "template":
        return parseInvocation(token);
      case "block":
        return parseBlock(token);
      case "break":
      case "continue":
        if (nextNonSpace().type !== "right") fail(`unexpected text in {{${token.text}}}`);
        if (rangeDepth === 0) fail(`{{${token.text}}} outside {{range}}`);
        return { type: token.text, line: token.line };
      default:
        return unexpected(token, "command");
    }
  };
  const parseBranch = (type: "if" | "with" | "range", token: Token): Node => {
    const outer = pipelines.variables.length;
    const pipe = pipelines.parse(type, "right");
    if (type === "range") rangeDepth += 1;
    const { body, ending } = parseList();
    if (type === "range") rangeDepth -= 1;
    let otherwise: readonly Node[] | undefined;
    if (ending.keyword === "else") {
      const following = peek();
      if (following.type === "keyword" && following.text === type && type !== "range") {
        next();
        blocks += 1;
        if (blocks > DEEPEST_BLOCKS) fail("too many blocks within blocks");
        otherwise = [parseBranch(type, following)];
        blocks -= 1;
      } else {
        const rest = parseList();
        if (rest.ending.keyword !== "end") fail("expected end; found {{else}}");
        otherwise = rest.body;
      }
    }
    pipelines.variables.length = outer;
    return { type, pipe, body, otherwise, line: token.line };
  };
  const parseInvocation = (token: Token): Node => {
    const templateName = nameOf(nextNonSpace(), "template clause");
    if (peekNonSpace().type === "right") {
      next();
      return { type: "template", name: templateName, pipe: undefined, line: token.line };
    }
    return {
      type: "template",
      name: templateName,
      pipe: pipelines.parse("template clause", "right"),
      line: token.line,
    };
  };
  const parseBlock = (token: Token): Node => {
    const templateName = nameOf(nextNonSpace(), "block clause");
    const pipe = pipelines.parse("block clause", "right");
    inDefinition(templateName, "block clause");
    return { type: "template", name: templateName, pipe, line: token.line };
  };

  const root: Node[] = [];
  while (peek().type !== "end") {
    if (peek().type === "left") {
      const left = next();
      const token = peekNonSpace();
      if (token.type === "keyword" && token.text === "define") {
        next();
        const templateName = nameOf(nextNonSpace(), "define clause");
        expect("right", "define clause");
        inDefinition(templateName, "define clause");
        continue;
      }
      cursor.takeBack(left);
    }
    const node = parseTextOrAction();
    if ("keyword" in node) {
      unexpected(node.token, "input");
    } else root.push(node);
  }
  define(name, root);
  return { bodies };
}

/** Whether a body is nothing but white space: such a definition does not replace another one. */
export function isEmpty(body: readonly Node[]): boolean {
  return body.every((node) => node.type === "text" && trimGoSpace(fromBytes(node.text)) === "");
}
