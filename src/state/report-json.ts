import type { Compression, EntryCounts } from "../contracts/archive.ts";
import type { DestinationKind, Verified } from "../contracts/destination.ts";
import type {
  ArchiveReport,
  DeliveryReport,
  Phase,
  PruneReport,
  RunReport,
  RunStatus,
  RunTrigger,
  RunWarning,
  StepOutcome,
  StepReport,
} from "../contracts/run.ts";
import {
  amount,
  choice,
  exact,
  instant,
  list,
  Malformed,
  nested,
  objectIn,
  optionalAmount,
  optionalInstant,
  optionalText,
  readObject,
  text,
} from "./json-fields.ts";
import type { Fields } from "./json-fields.ts";
import { cleanText, isFileName, isPlainName } from "./text.ts";

/** A record larger than this is not one of ours; readers stop there. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024;

const MAX_TEXT_CHARS = 4000;
const MAX_LABEL_CHARS = 1000;
const MAX_STEPS = 1000;
const MAX_DESTINATIONS = 100;
const MAX_REMOVED = 10_000;
const MAX_WARNINGS = 1000;

const STATUSES: Record<RunStatus | "running", true> = {
  success: true,
  partial: true,
  failed: true,
  skipped: true,
  interrupted: true,
  running: true,
};
const TRIGGERS: Record<RunTrigger, true> = { schedule: true, "catch-up": true, manual: true };
const PHASES: Record<Phase, true> = {
  lock: true,
  pre: true,
  stop: true,
  archive: true,
  start: true,
  process: true,
  deliver: true,
  prune: true,
  post: true,
  record: true,
  notify: true,
};
const OUTCOMES: Record<StepOutcome, true> = { ok: true, failed: true, warning: true, skipped: true };
const KINDS: Record<DestinationKind, true> = {
  s3: true,
  webdav: true,
  ssh: true,
  azure: true,
  dropbox: true,
  local: true,
};
const VERIFIED: Record<Verified, true> = { sha256: true, md5: true, crc: true, size: true };
const DELIVERY: Record<DeliveryReport["status"], true> = { stored: true, failed: true };
const COMPRESSIONS: Record<Compression, true> = { gz: true, zst: true, none: true };
const LEVELS: Record<RunWarning["level"], true> = { warning: true, note: true };

/**
 * A run's report from JSON that others may have written (a record in a store, a row of the database): every known field
 * is checked, unknown ones are dropped, texts and lists are cut to bounds and freed of control characters. Undefined
 * where anything is not what it should be.
 */
export function parseRunReport(json: unknown): RunReport | undefined {
  return readObject(json, report);
}

function report(fields: Fields): RunReport {
  if (fields["version"] !== 1) throw new Malformed("version");
  const endedAt = optionalInstant(fields, "endedAt");
  const pid = optionalAmount(fields, "pid");
  const error = optionalText(fields, "error", MAX_TEXT_CHARS);
  return {
    version: 1,
    id: exact(fields, "id", (id) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(id)),
    job: exact(fields, "job", isPlainName),
    host: text(fields, "host", MAX_LABEL_CHARS),
    lifeboat: text(fields, "lifeboat", MAX_LABEL_CHARS),
    trigger: choice(fields, "trigger", TRIGGERS),
    status: choice(fields, "status", STATUSES),
    firedAt: instant(fields, "firedAt"),
    startedAt: instant(fields, "startedAt"),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(pid === undefined ? {} : { pid }),
    ...(fields["archive"] === undefined || fields["archive"] === null
      ? {}
      : { archive: nested(fields, "archive", archive) }),
    steps: list(fields, "steps", MAX_STEPS, objectIn(step)),
    deliveries: list(fields, "deliveries", MAX_DESTINATIONS, objectIn(delivery)),
    prunes: list(fields, "prunes", MAX_DESTINATIONS, objectIn(prune)),
    warnings: list(fields, "warnings", MAX_WARNINGS, objectIn(warning)),
    ...(error === undefined ? {} : { error }),
  };
}

const isSha256 = (value: string): boolean => /^[0-9a-f]{64}$/.test(value);

function archive(fields: Fields): ArchiveReport {
  const blocks = optionalAmount(fields, "blocks");
  const hasBlocksSha256 = fields["blocksSha256"] !== undefined && fields["blocksSha256"] !== null;
  return {
    name: exact(fields, "name", isFileName),
    sizeBytes: amount(fields, "sizeBytes"),
    sha256: exact(fields, "sha256", isSha256),
    ...(blocks === undefined ? {} : { blocks }),
    ...(hasBlocksSha256 ? { blocksSha256: exact(fields, "blocksSha256", isSha256) } : {}),
    compression: choice(fields, "compression", COMPRESSIONS),
    compressor: text(fields, "compressor", MAX_LABEL_CHARS),
    counts: nested(fields, "counts", counts),
    bytesRead: amount(fields, "bytesRead"),
    incomplete: amount(fields, "incomplete"),
  };
}

function counts(fields: Fields): EntryCounts {
  return {
    files: amount(fields, "files"),
    directories: amount(fields, "directories"),
    symlinks: amount(fields, "symlinks"),
    hardlinks: amount(fields, "hardlinks"),
    others: amount(fields, "others"),
  };
}

function step(fields: Fields): StepReport {
  const target = optionalText(fields, "target", MAX_LABEL_CHARS);
  const detail = optionalText(fields, "detail", MAX_TEXT_CHARS);
  return {
    phase: choice(fields, "phase", PHASES),
    ...(target === undefined ? {} : { target }),
    startedAt: instant(fields, "startedAt"),
    durationMs: amount(fields, "durationMs"),
    outcome: choice(fields, "outcome", OUTCOMES),
    ...(detail === undefined ? {} : { detail }),
  };
}

function delivery(fields: Fields): DeliveryReport {
  const sizeBytes = optionalAmount(fields, "sizeBytes");
  const deliveredAt = optionalInstant(fields, "deliveredAt");
  const error = optionalText(fields, "error", MAX_TEXT_CHARS);
  return {
    destination: text(fields, "destination", MAX_LABEL_CHARS),
    kind: choice(fields, "kind", KINDS),
    status: choice(fields, "status", DELIVERY),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(fields["verified"] === undefined || fields["verified"] === null
      ? {}
      : { verified: choice(fields, "verified", VERIFIED) }),
    durationMs: amount(fields, "durationMs"),
    attempts: amount(fields, "attempts"),
    ...(deliveredAt === undefined ? {} : { deliveredAt }),
    ...(error === undefined ? {} : { error }),
  };
}

function prune(fields: Fields): PruneReport {
  const error = optionalText(fields, "error", MAX_TEXT_CHARS);
  return {
    destination: text(fields, "destination", MAX_LABEL_CHARS),
    kept: amount(fields, "kept"),
    removed: list(fields, "removed", MAX_REMOVED, (item) => {
      if (typeof item !== "string") throw new Malformed("removed");
      return cleanText(item, MAX_LABEL_CHARS);
    }),
    ...(error === undefined ? {} : { error }),
  };
}

function warning(fields: Fields): RunWarning {
  return { level: choice(fields, "level", LEVELS), text: text(fields, "text", MAX_TEXT_CHARS) };
}
