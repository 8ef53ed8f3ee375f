import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";
import type { ArchiveNotice, ArchiveOptions, ArchiveResult } from "../../src/contracts/archive.ts";
import { createArchive } from "../../src/archive/write/create.ts";

export const isRoot = process.geteuid?.() === 0;

/** A folder of its own for one test, removed at the end of the scope. */
export function temporaryFolder(): { readonly path: string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  return {
    path: folder,
    // By a program of the system: Node's own removal can't handle every name and depth that these tests make.
    [Symbol.dispose]: () => {
      if (spawnSync("rm", ["-rf", folder]).status !== 0) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function archiveOptions(sources: readonly string[], options: Partial<ArchiveOptions> = {}): ArchiveOptions {
  return {
    sources,
    compression: "none",
    level: "default",
    parallelism: 2,
    hardlinks: "copy",
    excludeRegexp: undefined,
    excludeGlobs: [],
    ownPaths: [],
    signal: new AbortController().signal,
    ...options,
  };
}

export interface MadeArchive {
  readonly bytes: Buffer;
  readonly result: ArchiveResult;
  readonly notices: readonly ArchiveNotice[];
}

/** Makes an archive in memory. */
export async function makeArchive(
  sources: readonly string[],
  options: Partial<ArchiveOptions> = {},
): Promise<MadeArchive> {
  const notices: ArchiveNotice[] = [];
  const stream = createArchive(archiveOptions(sources, { onNotice: (notice) => notices.push(notice), ...options }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.bytes) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), result: await stream.result, notices };
}

/** Makes an archive as a file. */
export async function makeArchiveFile(
  file: string,
  sources: readonly string[],
  options: Partial<ArchiveOptions> = {},
): Promise<MadeArchive> {
  const made = await makeArchive(sources, options);
  writeFileSync(file, made.bytes);
  return made;
}

/** Runs a program; throws with what it said unless it succeeds without a word on standard error. */
export function runQuietly(program: string, args: readonly string[], cwd?: string): Buffer {
  const done = spawnSync(program, args, { cwd, maxBuffer: 2 ** 30, env: { ...process.env, LC_ALL: "C.UTF-8" } });
  const complaint = done.stderr?.toString() ?? String(done.error);
  if (done.status !== 0 || complaint !== "") {
    throw new Error(
      `${program} ${args.join(" ")}: status ${done.status}: ${complaint.slice(0, 2000)}${done.stdout?.toString().slice(0, 2000)}`,
    );
  }
  return done.stdout;
}

/** Entry names in the archive's order, as Python reads them; bytes as latin1. */
export function entryNames(tar: Buffer): string[] {
  return listWithPython(tar).map((entry) => entry.name);
}

export interface ListedEntry {
  /** Bytes, one character each; folders without their slash. */
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly link: string;
  readonly mtime: string;
  readonly major: number;
  readonly minor: number;
  readonly sha256: string;
}

/** All entries as Python's tarfile reads them, by name and content. */
export function listWithPython(archive: Buffer): ListedEntry[] {
  const done = spawnSync("python3", [path.join(import.meta.dirname, "list_entries.py")], {
    input: archive,
    maxBuffer: 2 ** 30,
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });
  if (done.status !== 0) throw new Error(`python: ${done.stderr.toString().slice(0, 2000)}`);
  return done.stdout
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ListedEntry);
}
