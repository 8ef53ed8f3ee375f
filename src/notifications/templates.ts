import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import {
  createTemplateSet,
  type TemplateSet,
  TemplateRunError,
  TemplateSyntaxError,
} from "../golang/template/index.ts";
import { notificationHelpers } from "../golang/template/helpers.ts";
import { messageOf } from "../lib/errors.ts";
import { printablePath } from "../lib/printable.ts";
import type { NotificationEvent } from "./events.ts";
import { defaultMessage, type MessageText } from "./messages.ts";
import { templateData, type TemplateDataOptions } from "./template-data.ts";

export interface LoadedTemplates {
  readonly set: TemplateSet;
  /** One line for each file that can't be used: its path, the line in it, what is wrong. */
  readonly problems: readonly string[];
  /** How many files are used. */
  readonly files: number;
}

const LARGEST_FILE_BYTES = 1024 * 1024;
const MOST_FILES = 100;

/**
 * Reads `*.*` of these folders, in order of their names; later definitions win. A missing folder is none. A file with an
 * error is left out as a whole, and said. `lookUp` reads the environment for the templates.
 */
export function loadTemplates(
  folders: readonly string[],
  lookUp: (name: string) => string | undefined,
): LoadedTemplates {
  let set = createTemplateSet(notificationHelpers(lookUp));
  const problems: string[] = [];
  let files = 0;
  for (const file of folders.flatMap(templateFiles)) {
    try {
      const text = readSmall(file);
      set = set.add({ name: path.basename(file), text });
      files += 1;
    } catch (thrown) {
      problems.push(`${printablePath(file)}: ${messageOf(thrown)}; the other templates and the default texts are used`);
    }
  }
  return { set, problems, files };
}

/** As Go's glob `*.*` finds them, links to files included. */
function templateFiles(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.includes(".") && !name.startsWith(".."))
    .toSorted()
    .slice(0, MOST_FILES)
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

function readSmall(file: string): string {
  if (statSync(file).size > LARGEST_FILE_BYTES) throw new Error("it is larger than 1 MiB");
  return readFileSync(file, "utf8");
}

export interface RenderedMessage extends MessageText {
  /** What was wrong with a template whose default text was taken instead. */
  readonly problems: readonly string[];
}

/** The message of an event: from the templates where they define it, else the default text. */
export function renderMessage(
  event: NotificationEvent,
  templates: TemplateSet,
  options: TemplateDataOptions,
): RenderedMessage {
  const standard = defaultMessage(event);
  const problems: string[] = [];
  const render = (part: "title" | "body"): string => {
    const name = kindsOf(event)
      .map((kind) => `${part}_${kind}`)
      .find((candidate) => templates.has(candidate));
    if (name === undefined) return standard[part];
    try {
      return templates.run(name, templateData(event, options));
    } catch (thrown) {
      if (!(thrown instanceof TemplateRunError || thrown instanceof TemplateSyntaxError)) throw thrown;
      problems.push(`${thrown.message} (in ${name}); the default text is sent instead`);
      return standard[part];
    }
  };
  const title = render("title")
    .replaceAll(/\s*[\r\n]+\s*/g, " ")
    .trim();
  return { title, body: render("body"), problems };
}

/** Which definitions count, the most special first. */
function kindsOf(event: NotificationEvent): readonly string[] {
  if (event.kind !== "run") return [];
  if (event.report.status === "success") return ["success"];
  return event.report.status === "partial" ? ["partial", "failure"] : ["failure"];
}
