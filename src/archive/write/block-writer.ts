import type { CutRule } from "./blocks.ts";
import { cutsBefore, hashPath } from "./blocks.ts";

/** Where full blocks go and empty buffers come from. */
export interface BlockSink {
  /** An empty buffer of the full capacity; waits for one. */
  emptyBuffer(): Buffer;
  send(buffer: Buffer, bytes: number): void;
}

/** Assembles blocks in place: headers are written and files are read straight into the block's buffer. */
export interface BlockWriter {
  /** Where the next byte goes; valid until the next `beginEntry` or `cut`. */
  readonly buffer: Buffer;
  /** Bytes of the current block. Whoever wrote into `buffer` moves it on; moving it back undoes. */
  used: number;
  /** Where the last begun entry's header lies: number of its block, and offset in that block. */
  readonly entryBlock: number;
  readonly entryOffset: number;
  /** Cuts in front of an entry where the rule says so. */
  beginEntry(entryPath: string, headerBytes: number, contentBytes: number): void;
  /** Sends the current block, if there is anything in it. */
  cut(): void;
}

export function createBlockWriter(rule: CutRule, sink: BlockSink): BlockWriter {
  let buffer: Buffer | undefined;
  let sent = 0;
  let entryBlock = 0;
  let entryOffset = 0;
  const writer: BlockWriter = {
    get buffer() {
      buffer ??= sink.emptyBuffer();
      return buffer;
    },
    used: 0,
    get entryBlock() {
      return entryBlock;
    },
    get entryOffset() {
      return entryOffset;
    },
    beginEntry(entryPath, headerBytes, contentBytes) {
      if (cutsBefore(rule, writer.used, hashPath(entryPath), headerBytes, contentBytes)) writer.cut();
      entryBlock = sent;
      entryOffset = writer.used;
    },
    cut() {
      if (buffer === undefined || writer.used === 0) return;
      const full = buffer;
      const bytes = writer.used;
      buffer = undefined;
      writer.used = 0;
      sent += 1;
      sink.send(full, bytes);
    },
  };
  return writer;
}
