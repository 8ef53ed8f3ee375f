import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { nthReport } from "./fixtures/sample-report.ts";
import { openHistory } from "./history.ts";
import { openOutbox, type Outbox, type OutboxMessage } from "./outbox.ts";

/** Databases that another process holds at the moment. */

let stateDir = "";
let notes: string[] = [];
const onNote = (text: string): void => void notes.push(text);
const outbox = (): Promise<Outbox> => openOutbox({ stateDir, onNote });

beforeEach(() => {
  stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  notes = [];
});
afterEach(() => fs.rmSync(stateDir, { recursive: true }));

const MESSAGE: OutboxMessage = {
  job: "site",
  routeId: "r",
  title: "t",
  body: "b",
  level: "error",
  status: "failed",
  delivered: [],
  createdMs: 1,
  nextMs: 2,
  attempts: 1,
};

/** A process that is in the middle of a transaction; resolves when it is, and its end is in `done`. */
async function holds(
  name: string,
  how: "immediate" | "exclusive",
  seconds: number,
): Promise<{ done: Promise<unknown> }> {
  const script = `import sqlite3,sys,time
db=sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("create table if not exists held (x)")
db.execute("begin ${how}")
print("held", flush=True)
time.sleep(${seconds})
db.execute("commit")`;
  const child = spawn("python3", ["-c", script, path.join(stateDir, name)], { stdio: ["ignore", "pipe", "inherit"] });
  const done = once(child, "close");
  await once(child.stdout, "data");
  return { done };
}

it("a history that another process begins at this moment is waited for", async () => {
  const { done } = await holds("history.db", "immediate", 0.7);
  const history = await openHistory({ stateDir, onNote });
  history.begin(nthReport(1));
  history.close();
  await done;
  expect(notes).toEqual([]);
  const again = await openHistory({ stateDir, onNote });
  expect(again.runs({ limit: 10 })).toHaveLength(1);
  again.close();
});

it.each([
  ["for a moment: waited for", 0.7, []],
  ["for long: said, and left as it is", 5, [expect.stringContaining("database is locked")]],
] as const)("unsent messages that another process holds %s", { timeout: 30_000 }, async (_how, seconds, said) => {
  const first = await outbox();
  first.add(MESSAGE);
  first.close();
  const { done } = await holds("outbox.db", "exclusive", seconds);
  const second = await outbox();
  second.add({ ...MESSAGE, title: "second" });
  expect(second.due(10).map(({ title }) => title)).toContain("second");
  second.close();
  await done;
  expect(notes).toEqual(said);
  const third = await outbox();
  expect(third.due(10).map(({ title }) => title)).toContain("t");
  third.close();
});

it("unsent messages whose file is damaged make room for new ones", async () => {
  fs.writeFileSync(path.join(stateDir, "outbox.db"), "no database, but long enough to be taken for one\n".repeat(200));
  const opened = await outbox();
  opened.add(MESSAGE);
  opened.close();
  const again = await outbox();
  expect(again.due(10)).toHaveLength(1);
  again.close();
});
