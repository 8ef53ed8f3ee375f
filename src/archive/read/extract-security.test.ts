import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { extractArchive, type ExtractNotice, type ExtractOptions } from "./extract.ts";
import { inPieces, pythonTar, tree } from "./extract-fixture.ts";

let work: string;
let target: string;
let notices: ExtractNotice[];

beforeEach(() => {
  work = mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  target = path.join(work, "target");
  notices = [];
});

afterEach(() => {
  spawnSync("chmod", ["-R", "u+rwX", work]);
  rmSync(work, { recursive: true, force: true });
});

const at = (...names: string[]): string => path.join(work, ...names);

function restore(archive: Buffer, options: Partial<ExtractOptions> = {}) {
  return extractArchive(inPieces(archive), target, {
    archiveName: "site.tar",
    signal: new AbortController().signal,
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
}

const kinds = (): string[] => notices.map(({ kind }) => kind);

describe("staying inside the target", () => {
  const outsideFile = (): string => at("outside", "secret");
  beforeEach(() => {
    mkdirSync(at("outside"));
    writeFileSync(outsideFile(), "untouched");
    chmodSync(outsideFile(), 0o600);
    chmodSync(at("outside"), 0o700);
  });
  afterEach(() => {
    expect(readdirSync(at("outside"))).toEqual(["secret"]);
    expect(readFileSync(outsideFile(), "utf8")).toBe("untouched");
    expect(statSync(outsideFile()).mode & 0o7777).toBe(0o600);
    expect(statSync(at("outside")).mode & 0o7777).toBe(0o700);
    expect(statSync(at("outside")).mtimeMs).toBeGreaterThan(1_600_000_000_000);
    expect(readdirSync(work).toSorted()).toEqual(["outside", "target"]);
  });

  it.each([
    ["a path upwards", `add("../x", "bad"); add("ok", "1")`],
    ["a path upwards further in", `add("a/../../outside/secret", "bad"); add("ok", "1")`],
    ["a path that ends upwards", `folder("a/.."); add("ok", "1")`],
    ["a folder upwards", `folder(".."); add("ok", "1")`],
    ["a hard link upwards", `hard("h", "../outside/secret"); add("h", "bad") if False else None; add("ok", "1")`],
  ])("refuses %s and goes on", async (_, lines) => {
    const result = await restore(pythonTar(lines));
    expect(tree(target)).toEqual({ ok: "1" });
    expect(kinds()).toEqual(["refused"]);
    expect(result.incomplete).toBe(1);
  });

  it("takes the slash off an absolute name, as the replaced image writes them", async () => {
    const result = await restore(pythonTar(`folder("/backup"); add("/backup/a", "1"); add("//backup//b", "2")`));
    expect(tree(target)).toEqual({ backup: "folder", "backup/a": "1", "backup/b": "2" });
    expect(kinds()).toEqual(["absolute"]);
    expect(result.notices.absolute).toBe(3);
    expect(result.incomplete).toBe(0);
  });

  it("writes nothing through a symlink of the archive", async () => {
    await restore(
      pythonTar(`
link("l", "../outside"); add("l/secret", "bad"); folder("l/new"); link("l/s", "x"); add("l/deep/er", "bad"); add("f", "1"); hard("l/h", "f")
link("abs", "${at("outside")}"); add("abs/secret", "bad")
link("to-file", "../outside/secret"); add("to-file", "2")`),
    );
    expect(tree(target)).toEqual({ l: "-> ../outside", f: "1", abs: `-> ${at("outside")}`, "to-file": "2" });
    expect(notices.filter(({ kind }) => kind === "refused")).toHaveLength(6);
  });

  it("neither reads nor changes what lies outside through a hard link", async () => {
    await restore(
      pythonTar(`
link("l", "../outside"); hard("h", "l/secret"); hard("h2", "/outside/secret"); hard("h3", "${outsideFile()}")
link("s", "../outside/secret"); hard("hs", "s"); add("hs", "bad", mode=0o777); hard("self", "self")`),
    );
    expect(tree(target)).toEqual({ l: "-> ../outside", s: "-> ../outside/secret", hs: "bad" });
  });

  it("gives folders their modes and times without following a link that took their place", async () => {
    await restore(
      pythonTar(
        `folder("d", mtime=5); link("d", "../outside"); link("e", "../outside"); folder("e", mtime=5); add("e/f", "1")`,
      ),
    );
    expect(tree(target)).toEqual({ d: "folder", e: "folder", "e/f": "1" });
    expect(kinds().toSorted()).toEqual(["failed", "replaced"]);
  });

  it("gets over links in a circle", async () => {
    await restore(
      pythonTar(
        `link("a", "b"); link("b", "a"); add("a/x", "bad"); hard("c", "a/x"); link("self", "self"); add("self/x", "1")`,
      ),
    );
    expect(tree(target)).toEqual({ a: "-> b", b: "-> a", self: "-> self" });
  });

  it("does not follow links that are in the target already", async () => {
    mkdirSync(target);
    symlinkSync("../outside", path.join(target, "l"));
    symlinkSync("../outside/secret", path.join(target, "f"));
    symlinkSync("../outside", path.join(target, "d"));
    const archive = pythonTar(`add("l/secret", "bad"); add("f", "new"); folder("d", mtime=5); add("d/x", "1")`);
    const result = await restore(archive, { overwrite: true });
    expect(tree(target)).toEqual({ l: "-> ../outside", f: "new", d: "folder", "d/x": "1" });
    expect(result.incomplete).toBe(1);
  });

  it("can't be led out by someone who swaps folders for links meanwhile", async () => {
    const archive = pythonTar(`
for i in range(300):
    folder("d"); add("d/secret", "bad"); add("d/sub/secret", "bad")`);
    let swaps = 0;
    const dir = (): string => path.join(target, "d");
    const swap = (): void => {
      if (!existsSync(dir())) return;
      if (lstatSync(dir()).isSymbolicLink()) unlinkSync(dir());
      else {
        renameSync(dir(), path.join(target, `away${swaps}`));
        symlinkSync("../outside", dir());
      }
      swaps += 1;
    };
    await restore(archive, { onProgress: swap });
    expect(swaps).toBeGreaterThan(100);
  });
});

describe("a race", () => {
  it("against another process that swaps a folder for a link is never won", async () => {
    mkdirSync(at("outside"));
    mkdirSync(target);
    const script = `
import os
os.chdir(${JSON.stringify(target)})
print(end="+", flush=True)
count = tries = 0
while not os.path.exists("stop"):
    tries += 1
    try: os.rename("d", "away%d" % tries)
    except OSError: pass
    try: os.symlink("../outside", "d"); count += 1
    except OSError: pass
    try: os.unlink("d")
    except OSError: pass
print(count, flush=True)`;
    const racer = spawn("python3", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    const said = racer.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
    try {
      await said.next();
      const archive = pythonTar(`
for i in range(500):
    folder("d"); add("d/a", "bad"); folder("d/sub"); add("d/sub/b", "bad"); hard("d/h", "d/a")`);
      await restore(archive, { overwrite: true });
    } finally {
      writeFileSync(path.join(target, "stop"), "");
    }
    let swaps = "";
    for (let next = await said.next(); next.done !== true; next = await said.next()) swaps += String(next.value);
    expect(Number(swaps)).toBeGreaterThan(100);
    expect(readdirSync(at("outside"))).toEqual([]);
  }, 60_000);
});
