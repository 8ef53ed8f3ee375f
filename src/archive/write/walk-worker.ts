import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { ArchiveNotice } from "../../contracts/archive.ts";
import { UserError, messageOf } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { blockCapacityBytes } from "./blocks.ts";
import type { FileCalls } from "./file-calls.ts";
import { loadLibcCalls } from "./file-calls-libc.ts";
import { nodeCalls } from "./file-calls-node.ts";
import type { TreeSink } from "./store-tree.ts";
import { storeTree } from "./store-tree.ts";
import type { BufferMessage, WalkWorkerData, WorkerMessage } from "./worker-protocol.ts";
import { CONTROL } from "./worker-protocol.ts";

/**
 * The thread that walks and reads. It never returns to its event loop before it is done: it takes messages and waits
 * with synchronous calls, and learns of an abort through shared memory.
 */

/** Notices travel in lists; few lists may be under way, so that a folder of a million sockets needs no memory. */
const NOTICES_PER_LIST = 200;
const LISTS_UNDER_WAY = 8;
/** A lost wake-up must not hold the walk for longer. */
const LONGEST_WAIT_MS = 250;

const ABORTED = Symbol("aborted");

function run(port: MessagePort, data: WalkWorkerData, calls: FileCalls): void {
  const control = new Int32Array(data.control);
  const post = (message: WorkerMessage, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  const checkAbort = (): void => {
    if (Atomics.load(control, CONTROL.aborted) !== 0) throw ABORTED;
  };
  const waitUntil = <T>(ready: () => T | undefined): T => {
    while (true) {
      checkAbort();
      const seen = Atomics.load(control, CONTROL.wakeUps);
      const value = ready();
      if (value !== undefined) return value;
      Atomics.wait(control, CONTROL.wakeUps, seen, LONGEST_WAIT_MS);
    }
  };

  let notices: ArchiveNotice[] = [];
  let listsSent = 0;
  const sendNotices = (): void => {
    if (notices.length === 0) return;
    waitUntil(() => (listsSent - Atomics.load(control, CONTROL.noticesTaken) < LISTS_UNDER_WAY ? true : undefined));
    post({ type: "notices", notices });
    notices = [];
    listsSent += 1;
  };
  let at = { path: "", files: 0, bytesRead: 0 };
  let buffersMade = 0;
  const sink: TreeSink = {
    emptyBuffer: () =>
      Buffer.from(
        waitUntil(() => {
          const message = receiveMessageOnPort(port)?.message as BufferMessage | undefined;
          if (message !== undefined) return message.buffer;
          if (buffersMade === data.buffers) return undefined;
          buffersMade += 1;
          return new SharedArrayBuffer(blockCapacityBytes(data.cutRule));
        }),
      ),
    send(buffer, bytes, entries) {
      sendNotices();
      const whole = buffer.buffer as SharedArrayBuffer;
      const { path, files, bytesRead } = at;
      const current = printablePath(Buffer.from(path, "latin1"));
      const sha256 = data.hashesBlocks ? hash("sha256", new Uint8Array(whole, 0, bytes), "buffer") : undefined;
      const facts = { files, bytesRead, current, ...(sha256 === undefined ? {} : { sha256 }) };
      post({ type: "block", buffer: whole, bytes, entries, ...facts }, [entries.buffer]);
    },
  };

  if (!existsSync("/proc/self/fd")) {
    throw new UserError("/proc is not mounted", { hint: "mount /proc: without it, files can't be read safely" });
  }
  const end = storeTree(
    data.options,
    data.cutRule,
    sink,
    {
      checkAbort,
      onNotice(notice) {
        notices.push(notice);
        if (notices.length >= NOTICES_PER_LIST) sendNotices();
      },
      onVisit(path, files, bytesRead) {
        at = { path, files, bytesRead };
      },
    },
    calls,
  );
  sendNotices();
  post(end);
}

async function loadCalls(control: Int32Array): Promise<FileCalls> {
  Atomics.store(control, CONTROL.loading, 1);
  try {
    return (await loadLibcCalls()) ?? nodeCalls;
  } finally {
    Atomics.store(control, CONTROL.loading, 0);
  }
}

if (parentPort !== null) {
  try {
    const data = workerData as WalkWorkerData;
    run(parentPort, data, await loadCalls(new Int32Array(data.control)));
  } catch (error) {
    if (error !== ABORTED) {
      const hint = error instanceof UserError ? (error.hint ?? "") : undefined;
      const stack = error instanceof Error ? error.stack : undefined;
      parentPort.postMessage({ type: "failed", message: messageOf(error), hint, stack } satisfies WorkerMessage);
    }
  }
  parentPort.close();
}
