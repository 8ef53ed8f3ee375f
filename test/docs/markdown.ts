import { globSync, readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** A fenced block of a markdown file. */
export interface CodeBlock {
  /** The word after the fence: `sh`, `console`, `yaml`, …; empty where there is none. */
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, counted from 1. */
  readonly line: number;
  /** The HTML comment that stands directly above, without its marks; for tests. */
  readonly comment: string | undefined;
}

/** The project's own pages, as paths below its root; without the pieces that others are generated from. */
export function documentationFiles(): string[] {
  const files = globSync(["*.md", "docs/**/*.md", "bench/**/*.md"], { cwd: ROOT });
  return files.filter((file) => !file.endsWith(".head.md")).toSorted();
}

export function readPage(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = markdown.split("\n");
  let open: { language: string; line: number; from: number; fence: string; comment: string | undefined } | undefined;
  for (const [at, line] of lines.entries()) {
    const fence = /^\s*(`{3,}|~{3,})\s*([^\s`]*)/.exec(line);
    if (fence === null) continue;
    if (open === undefined) {
      const comment = /^<!--\s*(.*?)\s*-->$/.exec(lines[at - 1] ?? "")?.[1];
      open = { language: fence[2] ?? "", line: at + 1, from: at + 1, fence: fence[1] ?? "```", comment };
    } else if (line.trim() === open.fence) {
      blocks.push({
        language: open.language,
        text: lines.slice(open.from, at).join("\n"),
        line: open.line,
        comment: open.comment,
      });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`the code block at line ${open.line} has no end`);
  return blocks;
}

/** The page without its code blocks. */
export function withoutCodeBlocks(markdown: string): string {
  return markdown.replaceAll(/^(\s*)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\s*\2\s*$/gm, "");
}

/** Texts between single backticks, outside of code blocks. */
export function inlineCode(markdown: string): string[] {
  return [...withoutCodeBlocks(markdown).matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, text = ""]) => text);
}

/** The anchors that a renderer makes of a page's headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ""] of withoutCodeBlocks(markdown).matchAll(/^#{1,6}\s+(.*)$/gm)) {
    const text = title
      .replaceAll(/`/g, "")
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase();
    const anchor = text.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(/\s/g, "-");
    let unique = anchor;
    for (let number = 1; anchors.has(unique); number += 1) unique = `${anchor}-${number}`;
    anchors.add(unique);
  }
  return anchors;
}
