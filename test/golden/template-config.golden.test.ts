import { describe, expect, it } from "vitest";
import { plainSettings } from "../../src/config/parts.ts";
import { createValues } from "../../src/config/values.ts";
import type { GoValue } from "../../src/golang/template/types.ts";
import { createTemplateSet } from "../../src/golang/template/index.ts";
import { notificationHelpers } from "../../src/golang/template/helpers.ts";
import { templateData } from "../../src/notifications/template-data.ts";
import { completeReport } from "../../src/state/fixtures/sample-report.ts";
import { hasLists, readRecorded } from "./recorded.ts";
import { readValue, type Written } from "./template-data.ts";

interface Recorded {
  readonly cases: readonly unknown[];
  readonly datasets: Readonly<Record<string, { readonly [key: string]: Written }>>;
}

const { datasets } = readRecorded("templates.json", hasLists<Recorded>("cases"));

/** Held in other types here, on purpose: several paths, several keys, one more number. */
const OTHER_TYPES = new Set(["AgePublicKeys", "NotificationURLs"]);

function dataOf(raw: Readonly<Record<string, string>>): GoValue {
  const report = completeReport({ status: "success" });
  const event = {
    kind: "run" as const,
    report,
    previous: undefined,
    lastGood: undefined,
    log: ["line one", "line two"],
  };
  return templateData(event, { settings: plainSettings(), values: createValues(raw), zone: "Europe/Berlin" });
}

function inside(value: GoValue | undefined, ...path: readonly string[]): GoValue | undefined {
  let at = value;
  for (const name of path) {
    const held: GoValue | undefined = at?.kind === "pointer" || at?.kind === "interface" ? at.v : at;
    at = held?.kind === "struct" ? held.v[name] : undefined;
  }
  return at;
}

describe("what templates are run on has the shape that docker-volume-backup gives", () => {
  const ours = dataOf({});
  const config = datasets["success"]?.["Config"] as Readonly<Record<string, Written>>;
  const names = Object.keys(config).filter((name) => !name.startsWith("$"));

  it.each(names)(".Config.%s", (name) => {
    const theirs = readValue(config[name] ?? null, () => undefined);
    const own = inside(ours, "Config", name);
    expect(own, "there is no such field").toBeDefined();
    if (theirs !== undefined && !OTHER_TYPES.has(name) && theirs.kind !== "struct") expect(own?.kind).toBe(theirs.kind);
  });

  const stats = datasets["success"]?.["Stats"] as Readonly<Record<string, Written>>;
  it.each(Object.keys(stats).filter((name) => !name.startsWith("$")))(".Stats.%s", (name) => {
    const theirs = readValue(stats[name] ?? null, () => undefined);
    expect(inside(ours, "Stats", name)?.kind).toBe(theirs?.kind);
  });
});

/** Secrets that are checked for their form. */
const SPECIAL: Readonly<Record<string, string>> = {
  GOOGLE_DRIVE_CREDENTIALS_JSON: '{"private_key":"hunter"}',
  HEALTHCHECK_URL: "https://hc.example/hunter",
};

it("shows no secret, whatever a template does", () => {
  const secrets = plainSettings().filter(({ secret }) => secret === true);
  const raw = Object.fromEntries(
    secrets.map(({ key, kind }) => [key, kind === "urls" ? "ntfy://hunter" : (SPECIAL[key] ?? "hunter")]),
  );
  const set = createTemplateSet(notificationHelpers(() => undefined)).add({
    name: "all",
    text: '{{ . }}{{ printf "%+v %#v" .Config .Config }}{{ toJson . }}{{ range $k, $v := .Stats.Storages }}{{ $k }}{{ $v }}{{ end }}',
  });
  const shown = set.run("all", dataOf(raw));
  expect(shown).toContain("***");
  expect(shown).not.toContain("hunter");
});

it("a panel's template with labels, times, storages and pipes renders", () => {
  const text = `{{ define "body_success" -}}
Label {{ .Config.BackupStopContainerLabel | printf "%q" }}, took {{ .Stats.TookTime }}, locked {{ .Stats.LockedTime }}
{{- with .Stats.Storages.Local }}, local {{ .Total }}/{{ .Pruned }}/{{ .PruneErrors }}{{ end }}
{{- if gt .Stats.BackupFile.Size 1000 }}, {{ .Stats.BackupFile.Size | formatBytesDec }}{{ end }}
{{ .Stats.StartTime | formatTime }} {{ .Config.Timezone }} {{ .Stats.Containers.ToStop }}
{{ .Stats.LogOutput }}
{{- end }}`;
  const set = createTemplateSet(notificationHelpers(() => undefined)).add({ name: "panel", text });
  expect(set.run("body_success", dataOf({ TZ: "Europe/Berlin" }))).toBe(
    `Label "", took 59.875s, locked 250µs, local 9/2/1, 9.0 PB
2026-11-22T22:30:00+01:00 Europe/Berlin 0
line one
line two
`,
  );
});
