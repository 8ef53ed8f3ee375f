/** A template that can't be parsed: `template: <name>:<line>: <what>`, as Go words it. */
export class TemplateSyntaxError extends Error {
  readonly line: number;

  constructor(name: string, line: number, what: string) {
    super(`template: ${name}:${line}: ${what}`);
    this.name = "TemplateSyntaxError";
    this.line = line;
  }
}

/** A template that failed while it ran. What it had written until then is lost, as it is in Go. */
export class TemplateRunError extends Error {
  readonly line: number;

  constructor(name: string, line: number, what: string) {
    super(`template: ${name}:${line}: ${what}`);
    this.name = "TemplateRunError";
    this.line = line;
  }
}

/** Thrown by functions; the interpreter adds where. */
export class CallError extends Error {}
