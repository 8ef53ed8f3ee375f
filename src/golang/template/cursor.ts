import { type ByteString, fromBytes } from "./byte-string.ts";
import { TemplateSyntaxError } from "./errors.ts";
import { createLexer, type Token, type TokenType } from "./lex.ts";

/** The tokens of one file, with as many taken back as the grammar needs. */
export interface Cursor {
  peek(): Token;
  next(): Token;
  peekNonSpace(): Token;
  nextNonSpace(): Token;
  /** In the order in which they stand in the file. */
  takeBack(...tokens: readonly Token[]): void;
  expect(type: TokenType, context: string): Token;
  fail(message: string): never;
  unexpected(token: Token, context: string): never;
  /** The text from one byte to another, for messages. */
  textBetween(start: number, end: number): string;
}

export function createCursor(name: string, source: ByteString): Cursor {
  const lexer = createLexer(name, source);
  const ahead: Token[] = [];
  let line = 1;
  const cursor: Cursor = {
    peek() {
      const token = ahead[0] ?? lexer.next();
      if (ahead.length === 0) ahead.push(token);
      ({ line } = token);
      return token;
    },
    next() {
      const token = cursor.peek();
      ahead.shift();
      return token;
    },
    peekNonSpace() {
      while (cursor.peek().type === "space") ahead.shift();
      return cursor.peek();
    },
    nextNonSpace() {
      cursor.peekNonSpace();
      return cursor.next();
    },
    takeBack(...tokens) {
      ahead.unshift(...tokens);
    },
    expect(type, context) {
      const token = cursor.nextNonSpace();
      return token.type === type ? token : cursor.unexpected(token, context);
    },
    fail(message) {
      throw new TemplateSyntaxError(name, line, message);
    },
    unexpected(token, context) {
      ({ line } = token);
      return cursor.fail(`unexpected ${token.type === "end" ? "EOF" : shown(token)} in ${context}`);
    },
    textBetween: (start, end) => fromBytes(source.slice(start, end)),
  };
  return cursor;
}

function shown(token: Token): string {
  const text = fromBytes(token.text);
  if (token.type === "keyword" || token.type === "dot" || token.type === "nil") return `<${text}>`;
  return text.length > 10 ? `"${text.slice(0, 10)}"...` : `"${text}"`;
}
