/** What the pages say about the program must exist: commands, options, settings, files, versions. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/index.ts";
import { createCatalogue, fileKeyOf } from "../../src/config/parts.ts";
import { VERSION } from "../../src/version.ts";
import {
  anchorsOf,
  codeBlocks,
  documentationFiles,
  inlineCode,
  readPage,
  ROOT,
  withoutCodeBlocks,
} from "./markdown.ts";

const pages = documentationFiles();

/** Words in capitals with underscores that are no settings of ours. */
const OTHER_NAMES = new Set([
  // Of other programs and of this project's build.
  "CRON_TZ",
  "NODE_OPTIONS",
  "GO_GOLDEN_DIR",
  "NODE_IMAGE",
  "LC_ALL",
  "NO_COLOR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "LIFEBOAT_CONTAINER_SITE_MB",
  "STANDARD_IA",
  // Constants of the operating system and of Node.js.
  "O_NOFOLLOW",
  "O_NONBLOCK",
  "EX_USAGE",
  // Parts of words: families of settings, and the rule for files.
  "KEY_FILE",
  "BACKUP_KEEP_",
  "KEEP_",
  "X_FILE",
  // Misspelt in the recording of the README, where Lifeboat says so.
  "BACKUP_COMPRESION",
]);

describe.each(pages)("%s", (page) => {
  const markdown = readPage(page);

  it("names only commands and options that exist", async () => {
    const wrong: string[] = [];
    for (const line of commandLines(markdown)) {
      const [name = "", ...rest] = line;
      if (name === "--help" || name === "--version" || name === "help" || name === "<command>") continue;
      const found = commands.get(name);
      if (found === undefined) {
        wrong.push(`lifeboat ${name}`);
        continue;
      }
      const { options } = await found.load();
      for (const word of rest) {
        const long = /^--([a-z][a-z-]*)(?:=.*)?$/.exec(word)?.[1];
        if (long !== undefined && long !== "help" && !(long in options)) wrong.push(`lifeboat ${name} --${long}`);
        const short = /^-([a-z])$/.exec(word)?.[1];
        const shorts = ["h", ...Object.values(options).map((option) => option.short)];
        if (short !== undefined && !shorts.includes(short)) wrong.push(`lifeboat ${name} -${short}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  // Contributors are told of variables that only tests and tools read.
  it.skipIf(page === "CONTRIBUTING.md")("names only settings that are declared", () => {
    const catalogue = createCatalogue();
    const known = new Set(
      catalogue.settings.flatMap((setting) => [setting.key, fileKeyOf(setting, catalogue) ?? setting.key]),
    );
    const texts = [...inlineCode(markdown), ...codeBlocks(markdown).map((block) => block.text)].join("\n");
    const named = new Set(
      [...texts.matchAll(/(?<![\w$/{.])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+_?(?![\w*])/g)].map(([key]) => key),
    );
    expect([...named].filter((key) => !known.has(key) && !OTHER_NAMES.has(key))).toEqual([]);
  });

  it("links only to files and headings that exist", () => {
    const broken: string[] = [];
    for (const [, target = ""] of withoutCodeBlocks(markdown).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const absolute = file === "" ? path.join(ROOT, page) : path.resolve(ROOT, path.dirname(page), file);
      if (!existsSync(absolute)) broken.push(target);
      else if (anchor !== undefined && !anchorsOf(readFileSync(absolute, "utf8")).has(anchor)) broken.push(target);
    }
    expect(broken).toEqual([]);
  });
});

it("finds the pages", () => {
  expect(pages).toEqual(
    expect.arrayContaining(["README.md", "CHANGELOG.md", "docs/restore.md", "docs/limits.md", "docs/migrating.md"]),
  );
});

it("links every page of docs/ from the README or from another page", () => {
  const linked = new Set(
    pages.flatMap((page) =>
      [...readPage(page).matchAll(/\]\(([^)#\s]+\.md)/g)].map(([, target = ""]) =>
        path.relative(ROOT, path.resolve(ROOT, path.dirname(page), target)),
      ),
    ),
  );
  expect(pages.filter((page) => page.startsWith("docs/") && !linked.has(page))).toEqual([]);
});

it("describes every command in the README", () => {
  const readme = readPage("README.md");
  expect([...commands.keys()].filter((name) => !readme.includes(`\`lifeboat ${name}`))).toEqual([]);
});

it("describes every folder of src/ in the architecture page", () => {
  const architecture = readPage("docs/architecture.md");
  const folders = globSync("src/*/", { cwd: ROOT }).map((folder) => path.basename(folder));
  expect(folders.filter((folder) => !architecture.includes(`\`${folder}/\``))).toEqual([]);
});

it("numbers the decisions without gaps or repetitions", () => {
  const numbers = globSync("docs/decisions/[0-9]*.md", { cwd: ROOT })
    .map((file) => Number(path.basename(file).slice(0, 4)))
    .toSorted((a, b) => a - b);
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
});

it("has one version: of the package, of the program and of the newest changes", () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const newest = /^## \[?(\d+\.\d+\.\d+)\]?/m.exec(readPage("CHANGELOG.md"))?.[1];
  expect({ program: VERSION, newest }).toEqual({ program: version, newest: version });
});

/** The words of every `lifeboat …` in code, in blocks and between backticks; comments and what follows a pipe are cut. */
function commandLines(markdown: string): string[][] {
  const shellBlocks = codeBlocks(markdown).filter((block) =>
    ["sh", "console", "bash", "yaml", ""].includes(block.language),
  );
  const lines = [
    ...inlineCode(markdown),
    ...shellBlocks.flatMap((block) => block.text.replaceAll("\\\n", " ").split("\n")),
  ];
  const found: string[][] = [];
  for (const line of lines) {
    for (const [, rest = ""] of line.matchAll(/(?:^|[\s"'/])lifeboat ((?:--?)?[a-z<][^|;&#]*)/g)) {
      const words = rest
        .replaceAll(/["'\],[]/g, " ")
        .trim()
        .split(/\s+/);
      // `FROM lifeboat AS …`, a program of the image (`sh -c`), a sentence in program output.
      if (OTHER_PROGRAMS.has(words[0] ?? "") || /^\d/.test(words[0] ?? "")) continue;
      found.push(words);
    }
  }
  return found;
}

const OTHER_PROGRAMS = new Set(["sh", "starts", "backup", "daemon:", "."]);
