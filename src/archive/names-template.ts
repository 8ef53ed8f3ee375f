import { UserError } from "../lib/errors.ts";

/** One action of a Go template that a file name may hold: optional trim markers around the extension, a plain string or a comment. */
const ACTION =
  /\{\{(?<trimBefore>-[ \t\r\n])?(?:\/\*(?:(?!\*\/)[^])*\*\/|[ \t\r\n]*(?:(?<field>\$?\.Extension)|"(?<quoted>[^"\\\n]*)"|`(?<raw>[^`]*)`)[ \t\r\n]*?)(?<trimAfter>[ \t\r\n]-)?\}\}/y;

/**
 * Fills in `{{ .Extension }}` as Go's `text/template` does, with its trim markers (`{{- .Extension -}}`), comments and
 * plain strings (`{{ "{{" }}` for two literal braces).
 * @throws UserError for any other template
 */
export function renderNameTemplate(template: string, extension: string): string {
  let out = "";
  let text = "";
  let copied = 0;
  let trimNext = false;
  const takeText = (end: number): void => {
    text = template.slice(copied, end);
    if (trimNext) text = text.slice(blanksAtStart(text));
  };
  for (let at = template.indexOf("{{"); at !== -1; at = template.indexOf("{{", copied)) {
    ACTION.lastIndex = at;
    const match = ACTION.exec(template);
    if (match === null) {
      throw new UserError("BACKUP_FILENAME holds a template that is not understood", {
        hint: 'write {{ .Extension }} for the extension, {{ "{{" }} for two braces; no other template is supported',
      });
    }
    const { trimBefore, field, quoted, raw, trimAfter } = match.groups ?? {};
    takeText(at);
    out += trimBefore === undefined ? text : withoutBlanksAtEnd(text);
    out += field === undefined ? (quoted ?? raw ?? "") : extension;
    copied = ACTION.lastIndex;
    trimNext = trimAfter !== undefined;
  }
  takeText(template.length);
  return out + text;
}

/** The white space of Go's template language, which is less than JavaScript's. */
const BLANKS = " \t\r\n";

function blanksAtStart(text: string): number {
  let at = 0;
  while (at < text.length && BLANKS.includes(text.charAt(at))) at += 1;
  return at;
}

function withoutBlanksAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && BLANKS.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
