import type { DestinationKind } from "../contracts/destination.ts";
import type { RunReport } from "../contracts/run.ts";
import type { Setting, Values } from "../contracts/setting.ts";
import { durationValue, timeValue } from "../golang/template/time-values.ts";
import { type GoValue, mapOf, STRING, UINT, UINT64 } from "../golang/template/types.ts";
import { bufferValue, errorValue, integer, pointer, struct, text } from "../golang/template/values.ts";
import type { NotificationEvent } from "./events.ts";
import { defaultMessage } from "./messages.ts";
import { configValue } from "./template-config.ts";

export interface TemplateDataOptions {
  readonly settings: readonly Setting[];
  readonly values: Values;
  /** How times show themselves: an IANA name, or `Local`. */
  readonly zone: string;
}

/** What templates are run on: docker-volume-backup's `.Config`, `.Stats` and `.Error`. */
export function templateData(event: NotificationEvent, options: TemplateDataOptions): GoValue {
  const { settings, values, zone } = options;
  const error = event.kind === "run" ? event.report.error : defaultMessage(event).body;
  const isSuccess = event.kind === "run" && event.report.status === "success";
  return struct("main.NotificationData", {
    Config: configValue(settings, values),
    Stats: pointer(statsValue(event, zone)),
    Error: errorValue(isSuccess ? undefined : (error ?? "the run was no success")),
  });
}

function statsValue(event: NotificationEvent, zone: string): GoValue {
  const report = event.kind === "run" ? event.report : undefined;
  const startedMs = report === undefined ? undefined : Date.parse(report.startedAt);
  const endedMs = report?.endedAt === undefined ? startedMs : Date.parse(report.endedAt);
  const tookMs = startedMs === undefined || endedMs === undefined ? 0 : Math.max(0, endedMs - startedMs);
  const lockedMs = report?.steps.find(({ phase }) => phase === "lock")?.durationMs ?? 0;
  return struct("main.Stats", {
    StartTime: timeOf(startedMs, zone),
    EndTime: timeOf(endedMs, zone),
    TookTime: durationOf(tookMs),
    LockedTime: durationOf(lockedMs),
    LogOutput: bufferValue(event.kind === "run" ? event.log.map((line) => `${line}\n`).join("") : ""),
    Containers: counters("main.ContainersStats", ["All", "ToStop", "Stopped", "StopErrors"]),
    Services: counters("main.ServicesStats", ["All", "ToScaleDown", "ScaledDown", "ScaleDownErrors"]),
    BackupFile: struct("main.BackupFileStats", {
      Name: text(report?.archive?.name ?? ""),
      FullPath: text(fullPath(report)),
      Size: integer(report?.archive?.sizeBytes ?? 0, UINT64),
    }),
    Storages: storagesValue(report),
  });
}

/** Where the archive can be found: the local folder's file, else just its name. */
function fullPath(report: RunReport | undefined): string {
  const name = report?.archive?.name ?? "";
  const local = report?.deliveries.find(({ kind, status }) => kind === "local" && status === "stored");
  const folder = local?.destination.replace(/^local:/, "");
  return folder === undefined || name === "" ? name : `${folder.replace(/\/$/, "")}/${name}`;
}

const STORAGES: readonly (readonly [string, DestinationKind | undefined])[] = [
  ["S3", "s3"],
  ["WebDAV", "webdav"],
  ["SSH", "ssh"],
  ["Local", "local"],
  ["Azure", "azure"],
  ["Dropbox", "dropbox"],
  ["GoogleDrive", undefined],
];

function storagesValue(report: RunReport | undefined): GoValue {
  const entries = STORAGES.map(([name, kind]) => [name, storageValue(report, kind)] as const);
  const elem = entries[0]?.[1].type ?? STRING;
  return { kind: "map", type: mapOf(STRING, elem), v: new Map(entries) };
}

function storageValue(report: RunReport | undefined, kind: DestinationKind | undefined): GoValue {
  const labels = new Set(
    report?.deliveries.filter((delivery) => delivery.kind === kind).map((entry) => entry.destination),
  );
  const prunes = report?.prunes.filter(({ destination }) => labels.has(destination)) ?? [];
  const removed = prunes.reduce((sum, prune) => sum + prune.removed.length, 0);
  const kept = prunes.reduce((sum, prune) => sum + prune.kept, 0);
  return struct("main.StorageStats", {
    Total: integer(kept + removed, UINT),
    Pruned: integer(removed, UINT),
    PruneErrors: integer(prunes.filter(({ error }) => error !== undefined).length, UINT),
  });
}

function counters(name: string, fields: readonly string[]): GoValue {
  return struct(name, Object.fromEntries(fields.map((field) => [field, integer(0, UINT)])));
}

function durationOf(ms: number): GoValue {
  return durationValue(BigInt(Math.round(ms * 1_000_000)));
}

/** 0001-01-01T00:00:00Z: what Go shows for a time that was never set. */
const NEVER = -62_135_596_800;

function timeOf(ms: number | undefined, zone: string): GoValue {
  if (ms === undefined || Number.isNaN(ms)) return timeValue({ epochSeconds: NEVER, nanos: 0, zone: "UTC" });
  const epochSeconds = Math.floor(ms / 1000);
  return timeValue({ epochSeconds, nanos: Math.round((ms - epochSeconds * 1000) * 1_000_000), zone });
}
