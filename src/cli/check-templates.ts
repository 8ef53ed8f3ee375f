import type { Job } from "../contracts/job.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import type { RunReport } from "../contracts/run.ts";
import { plainSettings, tellsAnybody } from "../config/parts.ts";
import { zoneOf } from "../lib/zone-setting.ts";
import type { Redactor } from "../lib/redact.ts";
import { newRunId } from "../lib/run-id.ts";
import { loadTemplates, renderMessage } from "../notifications/templates.ts";

interface TemplateFinding {
  readonly level: "ok" | "error";
  readonly job?: string;
  readonly about: "notification";
  readonly text: string;
}

/**
 * Whether the notification templates can be read, and what they write of a made-up run of each job: what is wrong with
 * one should not be found out by the message that tells of a failure.
 */
export function templateFindings(jobs: readonly Job[], options: ProcessOptions, redact: Redactor): TemplateFinding[] {
  const told = jobs.filter(tellsAnybody);
  if (told.length === 0) return [];
  const about = "notification" as const;
  const findings: TemplateFinding[] = [];
  for (const [at, job] of told.entries()) {
    const { set, problems, files } = loadTemplates(options.templateFolders, (name) =>
      redact(job.environment[name] ?? ""),
    );
    if (at === 0) {
      findings.push(
        ...problems.map((text) => ({ level: "error" as const, about, text: `notification template ${text}` })),
      );
      if (files > 0)
        findings.push({ level: "ok", about, text: `${files} notification ${files === 1 ? "template" : "templates"}` });
    }
    const rendered = (["success", "partial", "failed"] as const).flatMap(
      (status) =>
        renderMessage(
          {
            kind: "run",
            report: madeUpRun(job.name, status),
            previous: undefined,
            lastGood: undefined,
            log: ["a line"],
          },
          set,
          { settings: plainSettings(), values: job.values, zone: zoneOf(job.values) },
        ).problems,
    );
    findings.push(
      ...new Set(rendered).values().map((text) => ({
        level: "error" as const,
        job: job.name,
        about,
        text: `notification template, tried with a made-up run: ${text}`,
      })),
    );
  }
  return findings;
}

function madeUpRun(job: string, status: "success" | "partial" | "failed"): RunReport {
  const now = new Date().toISOString();
  const counts = { files: 1, directories: 1, symlinks: 0, hardlinks: 0, others: 0 };
  const archive = {
    name: "made-up.tar.gz",
    sizeBytes: 1_000,
    sha256: "0".repeat(64),
    compression: "gz",
    compressor: "none",
    counts,
    bytesRead: 2_000,
    incomplete: 0,
  } as const;
  return {
    version: 1,
    id: newRunId(Date.now()),
    job,
    host: "made-up",
    lifeboat: "made-up",
    trigger: "manual",
    status,
    firedAt: now,
    startedAt: now,
    endedAt: now,
    ...(status === "failed" ? {} : { archive }),
    steps: [],
    deliveries: [],
    prunes: [],
    warnings: [],
    ...(status === "success" ? {} : { error: "a made-up error" }),
  };
}
