import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeLeftoversIn } from "./leftovers.ts";
import { parsePartialName, partialName } from "../partial-name.ts";

const OWN = { host: "a", job: "site" };
const OTHER = { host: "b", job: "site" };
const DAY_MS = 24 * 3600 * 1000;
const signal = AbortSignal.timeout(60_000);

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** The unfinished file of a process that is gone, `elsewhere` (another container or boot) or here. */
function plant(name: string, owner: typeof OWN, ageMs: number, elsewhere = false, below = ""): string {
  let hidden = partialName(name, owner).replace(`-${process.pid}-`, "-4194999-");
  if (elsewhere) hidden = hidden.replace(/(\.lb1-[0-9a-f]{10}-)[0-9a-f]{8}/, "$1deadbeef");
  const target = path.join(folder, below, hidden);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, "half");
  const at = new Date(Date.now() - ageMs);
  fs.utimesSync(target, at, at);
  return target;
}

it("removes its own at once, at every level, and others only after seven days", async () => {
  const gone = [
    plant("a.tar", OWN, 0),
    plant("r.json", OWN, 0, false, ".lifeboat/site"),
    plant("b.tar", OTHER, 7.1 * DAY_MS),
    plant("x".repeat(240), OWN, 0),
  ];
  const kept = [plant("c.tar", OTHER, 6.9 * DAY_MS), plant("d.tar", OTHER, 0, true)];
  expect(await removeLeftoversIn(folder, OWN, signal)).toBe(gone.length);
  for (const file of gone) expect(fs.existsSync(file)).toBe(false);
  for (const file of kept) expect(fs.existsSync(file)).toBe(true);
});

it("never touches a living writer's file, however old it looks", async () => {
  const alive = path.join(folder, partialName("a.tar", OWN));
  const old = new Date(Date.now() - 30 * DAY_MS);
  fs.writeFileSync(alive, "half");
  fs.utimesSync(alive, old, old);
  expect(await removeLeftoversIn(folder, OWN, signal)).toBe(0);
  expect(await removeLeftoversIn(folder, OTHER, signal)).toBe(0);
  expect(fs.existsSync(alive)).toBe(true);
});

it("watches a fresh file of its own name from another container: one that is still touched stays", async () => {
  const alive = plant("alive.tar", OWN, 0, true);
  const dead = plant("dead.tar", OWN, 0, true);
  const old = plant("old.tar", OWN, 60_000, true);
  const touch = setInterval(() => fs.utimesSync(alive, new Date(), new Date()), 50);
  try {
    expect(await removeLeftoversIn(folder, OWN, signal, { watchMs: 400 })).toBe(2);
  } finally {
    clearInterval(touch);
  }
  expect([alive, dead, old].map((file) => fs.existsSync(file))).toEqual([true, false, false]);
});

it("takes everything of dead writers in a private folder", async () => {
  plant("a.tar", OWN, 0);
  plant("b.tar", OTHER, 0);
  expect(await removeLeftoversIn(folder, "anyone", signal)).toBe(2);
});

it("leaves every name that is not surely its own, folders and link targets", async () => {
  const victim = path.join(folder, "victim");
  fs.writeFileSync(victim, "precious");
  const own = path.basename(plant("z.tar", OWN, 30 * DAY_MS));
  fs.rmSync(path.join(folder, own));
  const names = [
    ".a.tar.partial",
    "a.tar.partial",
    own.slice(1),
    `${own}x`,
    own.replace(".lb1-", ".lb2-"),
    own.replace(/\.lb1-./, ".lb1-G"),
    ".lb1-partial.partial",
  ];
  for (const name of names) fs.writeFileSync(path.join(folder, name), "foreign");
  fs.mkdirSync(path.join(folder, own.replace("z.tar", "folder")));
  fs.symlinkSync("victim", path.join(folder, own));
  expect(await removeLeftoversIn(folder, OWN, signal)).toBe(1);
  expect(fs.readFileSync(victim, "utf8")).toBe("precious");
  expect(fs.readdirSync(folder).toSorted()).toEqual([...names, "victim", own.replace("z.tar", "folder")].toSorted());
});

it("gives names of one path element that tell whose they are", () => {
  for (const name of ["a.tar", "x".repeat(255), "ü".repeat(120), "line\nbreak", ".lb1-.partial"]) {
    const hidden = partialName(name, OWN);
    expect(Buffer.byteLength(hidden)).toBeLessThanOrEqual(255);
    expect(hidden).toMatch(/^\..*\.partial$/s);
    expect(parsePartialName(hidden)).toMatchObject({ pid: process.pid });
    expect(partialName(name, OWN)).not.toBe(hidden);
  }
});
