import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { ApiError } from "./dropbox-fake-errors.ts";

const REFUSED_CHARACTERS = ["\\", "\0", "\u007f"];
const HASH_BLOCK_BYTES = 4 * 1024 * 1024;

export interface FakeFile {
  readonly path: string;
  readonly name: string;
  readonly blob: string;
  readonly sizeBytes: number;
  readonly contentHash: string;
  readonly rev: string;
  modifiedAt: number;
}

export interface FakeSession {
  readonly id: string;
  readonly blob: string;
  readonly isConcurrent: boolean;
  /** Start and end of what is there, unordered. */
  pieces: [number, number][];
  closedAt: number | undefined;
  isFinished: boolean;
}

/** Files by lower-case path, their bytes as real files in one folder. */
export class FakeStore {
  readonly files = new Map<string, FakeFile>();
  /** Path as it was first written, by lower-case path. */
  readonly folders = new Map<string, string>();
  readonly sessions = new Map<string, FakeSession>();
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  begin(isConcurrent: boolean): FakeSession {
    const id = `pid_upload_session:${randomBytes(16).toString("hex")}`;
    const blob = join(this.folder, randomBytes(8).toString("hex"));
    closeSync(openSync(blob, "w"));
    const session: FakeSession = { id, blob, isConcurrent, pieces: [], closedAt: undefined, isFinished: false };
    this.sessions.set(id, session);
    return session;
  }

  /** Bytes at their place, as they arrive; `commit` is called once all are there. */
  async write(session: FakeSession, offset: number, body: AsyncIterable<Buffer>): Promise<number> {
    const file = openSync(session.blob, "r+");
    let at = offset;
    try {
      for await (const chunk of body) {
        for (let done = 0; done < chunk.byteLength;)
          done += writeSync(file, chunk, done, chunk.byteLength - done, at + done);
        at += chunk.byteLength;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw ApiError.tagged("path", "insufficient_space");
      throw error;
    } finally {
      closeSync(file);
    }
    return at - offset;
  }

  dropSessions(): void {
    for (const session of this.sessions.values()) rmSync(session.blob, { force: true });
    this.sessions.clear();
  }

  sizeOf(session: FakeSession): number {
    return Math.max(0, ...session.pieces.map(([, end]) => end));
  }

  hasGaps(session: FakeSession): boolean {
    let reached = 0;
    for (const [start, end] of session.pieces.toSorted((a, b) => a[0] - b[0])) {
      if (start > reached) return true;
      reached = Math.max(reached, end);
    }
    return false;
  }

  /** Makes a file of a session's bytes; everything that may be wrong with its path is said first. */
  async commit(session: FakeSession, path: string, mode: string, isStrict: boolean): Promise<FakeFile> {
    checkPath(path);
    const key = path.toLowerCase();
    const components = path.split("/").slice(1);
    for (let depth = 1; depth < components.length; depth += 1) {
      if (this.files.has(`/${components.slice(0, depth).join("/")}`.toLowerCase()))
        throw ApiError.write("conflict", "file_ancestor");
    }
    if (this.folders.has(key)) throw ApiError.write("conflict", "folder");
    const size = statSync(session.blob).size;
    const wanted = this.sizeOf(session);
    if (size > wanted) truncateSync(session.blob, wanted);
    const contentHash = await hashOfFile(session.blob);
    const old = this.files.get(key);
    if (old !== undefined && mode === "add" && (isStrict || old.contentHash !== contentHash))
      throw ApiError.write("conflict", "file");
    for (let depth = 1; depth < components.length; depth += 1) {
      const folder = `/${components.slice(0, depth).join("/")}`;
      if (!this.folders.has(folder.toLowerCase())) this.folders.set(folder.toLowerCase(), folder);
    }
    const file: FakeFile = {
      path: this.displayed(path),
      name: components.at(-1) ?? "",
      blob: session.blob,
      sizeBytes: wanted,
      contentHash,
      rev: randomBytes(8).toString("hex"),
      modifiedAt: Math.floor(Date.now() / 1000) * 1000,
    };
    this.files.set(key, file);
    // Readers of the old one have it open.
    if (old !== undefined) rmSync(old.blob, { force: true });
    return file;
  }

  displayed(path: string): string {
    const at = path.lastIndexOf("/");
    const parent = path.slice(0, at);
    return `${this.folders.get(parent.toLowerCase()) ?? parent}${path.slice(at)}`;
  }

  remove(path: string): FakeFile | string | undefined {
    const key = path.toLowerCase();
    const file = this.files.get(key);
    if (file !== undefined) {
      this.files.delete(key);
      if (existsSync(file.blob)) unlinkSync(file.blob);
      return file;
    }
    const folder = this.folders.get(key);
    if (folder === undefined) return undefined;
    for (const below of this.files.keys()) if (below.startsWith(`${key}/`)) this.remove(below);
    for (const below of this.folders.keys()) if (below.startsWith(`${key}/`)) this.folders.delete(below);
    this.folders.delete(key);
    return folder;
  }

  read(file: FakeFile, start: number, end: number): AsyncIterable<Buffer> {
    return createReadStream(file.blob, { start, end: end - 1 });
  }
}

/** The pattern of the documentation, and what users report about names. */
export function checkPath(path: string, isFolder = false): void {
  if (path === "" && isFolder) return;
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("//")) throw ApiError.write("malformed_path");
  for (const name of path.slice(1).split("/")) {
    if (REFUSED_CHARACTERS.some((one) => name.includes(one)) || name.endsWith(" ") || name === "." || name === "..")
      throw ApiError.write("malformed_path");
    if (name.length > 255) throw ApiError.write("malformed_path");
    if (/^(?:desktop\.ini|thumbs\.db|\.dropbox)$/i.test(name)) throw ApiError.write("disallowed_name");
  }
}

async function hashOfFile(path: string): Promise<string> {
  const whole = createHash("sha256");
  for await (const block of createReadStream(path, { highWaterMark: HASH_BLOCK_BYTES })) {
    whole.update(
      createHash("sha256")
        .update(block as Buffer)
        .digest(),
    );
  }
  return whole.digest("hex");
}
