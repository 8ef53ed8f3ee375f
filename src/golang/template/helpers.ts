import { fromBytes, toBytes } from "./byte-string.ts";
import { formatFloat } from "./decimal.ts";
import { CallError } from "./errors.ts";
import type { FunctionTable } from "./functions.ts";
import { formatTime } from "./time-format.ts";
import { instantOf, TIME } from "./time-values.ts";
import { toJson } from "./to-json.ts";
import { ANY, STRING, UINT64, type Value } from "./types.ts";
import { bytes, text } from "./values.ts";

/** The functions of docker-volume-backup's notification templates, beside Go's own. `lookUp` reads the environment. */
export function notificationHelpers(lookUp: (name: string) => string | undefined): FunctionTable {
  return {
    formatTime: {
      params: [TIME],
      call: ([time]) => text(time === undefined ? "" : formatTime(instantOf(time), "2006-01-02T15:04:05Z07:00")),
    },
    formatBytesDec: { params: [UINT64], call: ([size]) => text(bytesText(sizeOf(size), 1000n)) },
    formatBytesBin: { params: [UINT64], call: ([size]) => text(bytesText(sizeOf(size), 1024n)) },
    env: {
      params: [STRING],
      call: ([name]) => text(name?.kind === "string" ? (lookUp(fromBytes(name.v)) ?? "") : ""),
    },
    toJson: { params: [ANY], call: ([value]) => bytes(jsonOrComplaint(value, "")) },
    toPrettyJson: { params: [ANY], call: ([value]) => bytes(jsonOrComplaint(value, "  ")) },
  };
}

function sizeOf(value: Value): bigint {
  return value?.kind === "uint" ? value.v : 0n;
}

/** `1.5 MB`; below one unit in bytes. */
function bytesText(size: bigint, unit: 1000n | 1024n): string {
  if (size < unit) return `${size} B`;
  let divisor = unit;
  let exponent = 0;
  for (let rest = size / unit; rest >= unit; rest /= unit) {
    divisor *= unit;
    exponent += 1;
  }
  const letter = "kMGTPE".charAt(exponent);
  return `${formatFloat(Number(size) / Number(divisor), "f", 1)} ${letter}${unit === 1000n ? "B" : "iB"}`;
}

function jsonOrComplaint(value: Value, indent: string): string {
  try {
    return toJson(value, indent);
  } catch (thrown) {
    if (!(thrown instanceof CallError)) throw thrown;
    return toBytes(`failed to marshal JSON in notification template: ${thrown.message}`);
  }
}
