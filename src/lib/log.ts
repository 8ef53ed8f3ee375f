import { pino } from "pino";
import type { Log, LogFields } from "../contracts/log.ts";
import { localIso } from "./iso-time.ts";
import type { Redactor } from "./redact.ts";

export type LogFormat = "text" | "json";
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogOptions {
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** Asked at every line, so that secrets learnt by a reload are covered. */
  readonly redact: Redactor;
  /** File descriptor; 1 unless told otherwise. */
  readonly fd?: number;
  /** Called with every line as it was written; the run keeps the tail for its message. */
  onLine?(line: string): void;
}

/**
 * One readable line per event (`docker logs` is the user's screen), or one JSON object per line. Written synchronously:
 * a line is out before the process can die. A reader that went away never fails the caller.
 */
export function createLog(options: LogOptions): Log {
  const out = pino.destination({ fd: options.fd ?? 1, sync: true });
  out.on("error", () => {
    // Nobody reads any more (EPIPE); a backup does not stop for that.
  });
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: options.format === "json" ? pino.stdTimeFunctions.isoTime : pino.stdTimeFunctions.epochTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(json: string) {
        const line = options.format === "json" ? json : textLine(json);
        options.onLine?.(line.trimEnd());
        out.write(line);
      },
    },
  );
  const wrap = (bound: LogFields): Log => {
    const emit = (level: LogLevel) => (text: string, fields?: LogFields) => {
      logger[level](clean({ ...bound, ...fields }, options.redact), options.redact(text));
    };
    return {
      debug: emit("debug"),
      info: emit("info"),
      warn: emit("warn"),
      error: emit("error"),
      with: (fields) => wrap({ ...bound, ...fields }),
    };
  };
  return wrap({});
}

function clean(fields: LogFields, redact: Redactor): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    out[key] = typeof value === "string" ? redact(value) : value;
  }
  return out;
}

const RESERVED = new Set(["level", "time", "msg", "job"]);

/** `2026-11-22T22:30:05+01:00 info  [site] archive written  size=1.2 GB took=12s` */
function textLine(json: string): string {
  const event = JSON.parse(json) as Record<string, unknown>;
  const time = localIso(typeof event["time"] === "number" ? event["time"] : 0);
  const level = String(event["level"]).padEnd(5);
  const job = typeof event["job"] === "string" ? `[${oneLine(event["job"])}] ` : "";
  const rest = Object.entries(event)
    .filter(([key]) => !RESERVED.has(key))
    .map(([key, value]) => `${key}=${quoted(String(value))}`);
  const tail = rest.length > 0 ? `  ${rest.join(" ")}` : "";
  return `${time} ${level} ${job}${oneLine(typeof event["msg"] === "string" ? event["msg"] : "")}${tail}\n`;
}

function quoted(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- a line break or escape sequence in a name must not forge a log line
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
