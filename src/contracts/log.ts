/** Values beside a log line's text: numbers, short strings, never objects. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line per event. Texts are lower case, concrete, without a final period. Everything is redacted on its way out. */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  /** The same log with fields added to every line, e.g. `{ job: "site" }`. */
  with(fields: LogFields): Log;
}
