import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PLAIN_PARTS, createCatalogue, fileKeyOf, isRepeated } from "../src/config/parts.ts";
import { numberedKey } from "../src/lib/numbered-settings.ts";
import type { Kind, PartSettings, Setting } from "../src/contracts/setting.ts";

/** `npm run docs`: writes the configuration reference from the settings' declarations. */

const HEAD = new URL("../docs/configuration.head.md", import.meta.url);
const PAGE = new URL("../docs/configuration.md", import.meta.url);

const KIND_TEXTS: Readonly<Record<Kind, string>> = {
  text: "text",
  boolean: "boolean",
  duration: "duration",
  whole: "whole number",
  natural: "number, 0 or more",
  bytes: "size",
  choice: "one of",
  list: "list",
  paths: "absolute paths, comma-separated",
  path: "absolute path",
  cron: "schedule",
  zone: "time zone",
  regexp: "Go regular expression",
  globs: "globs, comma-separated",
  filename: "name pattern",
  pem: "PEM text or path",
  url: "http(s) URL",
  urls: "notification URLs, comma-separated",
};

/** The whole page: the head as written by hand, then a table for each part. */
export function referencePage(head: string): string {
  return `${head.trimEnd()}\n\n${PLAIN_PARTS.map(section).join("\n\n")}\n`;
}

function section(part: PartSettings): string {
  const rows = part.settings.map(row).join("\n");
  const notBuilt = part.notBuilt === undefined ? "" : `\nNot built yet: a job that uses this is refused.\n`;
  const [first] = part.settings;
  const more =
    first !== undefined && isRepeated(part)
      ? `\nMore than one: \`${numberedKey(first.key, 2)}\` and so on, see [above](#several-destinations-of-one-kind).\n`
      : "";
  return `## ${part.title}\n${notBuilt}${more}\n| Variable | Value | Default | Meaning |\n|---|---|---|---|\n${rows}`;
}

function row(setting: Setting): string {
  return `| ${[`\`${setting.key}\``, valueText(setting), defaultText(setting), helpText(setting)].map(cell).join(" | ")} |`;
}

function valueText({ kind, allowed, unit }: Setting): string {
  const kindText =
    kind === "choice" ? `one of ${(allowed ?? []).map((one) => `\`${one}\``).join(", ")}` : KIND_TEXTS[kind];
  return unit === undefined ? kindText : `${kindText} (${unit})`;
}

function defaultText(setting: Setting): string {
  return setting.default === undefined ? "" : `\`${setting.default}\``;
}

function helpText(setting: Setting): string {
  const marks: string[] = [];
  if (setting.secret === true) marks.push("**Secret.**");
  if (setting.isNew === true) marks.push("*New.*");
  if (setting.processWide === true) marks.push("Environment only.");
  if (setting.deprecated !== undefined) marks.push(`*Deprecated: ${setting.deprecated}.*`);
  if (setting.whenEmpty === "error") marks.push("An empty value is an error.");
  if (fileKeyOf(setting, createCatalogue()) === undefined) marks.push("There is no `_FILE` form.");
  return [setting.help, ...marks].join(" ");
}

function cell(text: string): string {
  return text.replaceAll("|", String.raw`\|`).replaceAll("\n", " ");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, referencePage(readFileSync(HEAD, "utf8")));
}
