import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RUN_FLAGS } from "../src/daemon/run-flags.ts";

const ROOT = path.join(import.meta.dirname, "..");
const NODE_FOLDER = realpathSync(path.join(ROOT, "node_modules/node"));

/** Stands for the built program: says how it was started. */
const PROGRAM = `
import fs from "node:fs";
const [, script, ...argv] = process.argv;
if (argv[0] === "exit") process.exit(Number(argv[1]));
if (argv[0] === "wait") { setInterval(() => {}, 1000); fs.writeSync(1, "ready\\n"); }
else fs.writeSync(1, JSON.stringify({ argv, script, pid: process.pid, cwd: process.cwd(), node: process.version, execArgv: process.execArgv }) + "\\n");
`;

interface Started {
  readonly argv: string[];
  readonly script: string;
  readonly pid: number;
  readonly cwd: string;
  readonly node: string;
  readonly execArgv: string[];
}

let folder: string;
let project: string;

function makeProject(at: string, options: { readonly node?: boolean; readonly dist?: boolean } = {}): void {
  mkdirSync(path.join(at, "bin"), { recursive: true });
  for (const name of ["lifeboat", "backup"]) {
    copyFileSync(path.join(ROOT, "bin", name), path.join(at, "bin", name));
    chmodSync(path.join(at, "bin", name), 0o755);
  }
  if (options.dist !== false) {
    mkdirSync(path.join(at, "dist"));
    writeFileSync(path.join(at, "dist/main.js"), PROGRAM);
    writeFileSync(path.join(at, "dist/package.json"), `{"type":"module"}`);
  }
  if (options.node !== false) {
    mkdirSync(path.join(at, "node_modules"));
    symlinkSync(NODE_FOLDER, path.join(at, "node_modules/node"));
  }
}

/** A program called `node` that says it is of this version, and says so when it is used. */
function fakeNode(version: string): string {
  const home = mkdtempSync(path.join(folder, "fake-"));
  writeFileSync(
    path.join(home, "node"),
    `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit\necho used ${version}\n`,
  );
  chmodSync(path.join(home, "node"), 0o755);
  return home;
}

function start(
  file: string,
  args: readonly string[] = [],
  options: Parameters<typeof spawnSync>[2] = {},
): SpawnSyncReturns<string> {
  return spawnSync(file, args, { timeout: 20_000, ...options, encoding: "utf8" });
}

function startedBy(result: SpawnSyncReturns<string>): Started {
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
  return JSON.parse(result.stdout) as Started;
}

beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "lifeboat-")));
  chmodSync(folder, 0o755);
  project = path.join(folder, "project");
  makeProject(project);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("arguments and process", () => {
  test("arguments arrive as they were given, in the caller's folder", () => {
    const args = ["run", "a b", "", "*", "$HOME", "--x=1", "ä\n"];
    const seen = startedBy(start(path.join(project, "bin/lifeboat"), args, { cwd: "/" }));
    expect(seen.argv).toEqual(args);
    expect(seen.cwd).toBe("/");
    expect(seen.script).toBe(path.join(project, "dist/main.js"));
    expect(Number(seen.node.slice(1).split(".")[0])).toBeGreaterThanOrEqual(26);
  });

  test("a run gets the same flags by hand and by the daemon, which has its own", () => {
    for (const args of [["run"], ["--as=backup"]])
      expect(startedBy(start(path.join(project, "bin/lifeboat"), args)).execArgv).toEqual(RUN_FLAGS);
    expect(startedBy(start(path.join(project, "bin/lifeboat"), ["restore", "run"])).execArgv).toEqual([]);
    expect(startedBy(start(path.join(project, "bin/lifeboat"), ["daemon"])).execArgv).toContain("--expose-gc");
    expect(startedBy(start(path.join(project, "bin/backup"), ["-foreground"])).execArgv).toContain("--expose-gc");
  });

  test("backup says under which name it was called", () => {
    expect(startedBy(start(path.join(project, "bin/backup"), ["-foreground"])).argv).toEqual([
      "--as=backup",
      "-foreground",
    ]);
  });

  test.each(["lifeboat", "backup"])("%s replaces itself: one process, whose signals end it", async (name) => {
    const child = spawn(path.join(project, "bin", name), name === "backup" ? [] : ["wait"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.on("close", (code, signal) => resolve({ code, signal }));
    });
    const first = await new Promise<string>((resolve) =>
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())),
    );
    if (name === "backup") {
      expect((JSON.parse(first) as Started).pid).toBe(child.pid);
    } else {
      child.kill("SIGTERM");
      expect((await ended).signal).toBe("SIGTERM");
    }
    await ended;
  });

  test("the exit code is the program's", () => {
    expect(start(path.join(project, "bin/lifeboat"), ["exit", "3"]).status).toBe(3);
  });
});

describe("places", () => {
  test("through relative, absolute and chained links", () => {
    const bin = path.join(folder, "links");
    mkdirSync(path.join(bin, "deeper"), { recursive: true });
    symlinkSync("../project/bin/lifeboat", path.join(bin, "one"));
    symlinkSync(path.join(bin, "one"), path.join(bin, "deeper/two"));
    symlinkSync("deeper/two", path.join(bin, "three"));
    symlinkSync("../project/bin/backup", path.join(bin, "other-name"));
    expect(startedBy(start(path.join(bin, "three"))).script).toBe(path.join(project, "dist/main.js"));
    expect(startedBy(start(path.join(bin, "other-name"))).argv).toEqual(["--as=backup"]);
    expect(startedBy(start("three", [], { cwd: "/", env: { PATH: `${bin}:/usr/bin:/bin` } })).script).toBe(
      path.join(project, "dist/main.js"),
    );
  });

  test("through a linked folder", () => {
    mkdirSync(path.join(folder, "a/b"), { recursive: true });
    symlinkSync("../../project/bin", path.join(folder, "a/b/bin"));
    expect(startedBy(start(path.join(folder, "a/b/bin/lifeboat"))).script).toBe(path.join(project, "dist/main.js"));
  });

  test.each(["with space", "-dash", "line\nbreak", "trailing\n", "quote'\"$x`", "*"])(
    "from a folder called %j",
    (name) => {
      const odd = path.join(folder, name);
      makeProject(odd);
      expect(startedBy(start(path.join(odd, "bin/lifeboat"))).script).toBe(path.join(odd, "dist/main.js"));
      expect(startedBy(start(`./${name}/bin/backup`, [], { cwd: folder })).script).toBe(path.join(odd, "dist/main.js"));
      symlinkSync(path.join(odd, "bin/lifeboat"), path.join(folder, `link-${name}`));
      expect(startedBy(start(path.join(folder, `link-${name}`))).script).toBe(path.join(odd, "dist/main.js"));
    },
  );

  test("as an argument of a shell, by a bare name, with CDPATH set", () => {
    const cwd = path.join(project, "bin");
    expect(startedBy(start("sh", ["lifeboat", "x"], { cwd, env: { CDPATH: "/" } })).argv).toEqual(["x"]);
    expect(startedBy(start("sh", ["backup"], { cwd })).argv).toEqual(["--as=backup"]);
  });

  test("from a folder that is gone", () => {
    const gone = path.join(folder, "gone");
    mkdirSync(gone);
    const result = start("/bin/sh", [
      "-c",
      `cd "$1" && rmdir "$1" && exec "$2" exit 7`,
      "sh",
      gone,
      path.join(project, "bin/lifeboat"),
    ]);
    expect(result.status).toBe(7);
  });
});

describe("surroundings", () => {
  test("an empty environment, and a PATH without anything", () => {
    for (const env of [{}, { PATH: "" }, { PATH: "/nowhere" }]) {
      symlinkSync(path.join(project, "bin/lifeboat"), path.join(folder, "link"));
      expect(startedBy(start(path.join(folder, "link"), [], { env })).script).toBe(path.join(project, "dist/main.js"));
      rmSync(path.join(folder, "link"));
    }
  });

  test("closed standard streams", () => {
    const script = `"$1" exit 6 <&- >&- 2>&-; echo $?`;
    expect(start("/bin/sh", ["-c", script, "sh", path.join(project, "bin/lifeboat")]).stdout).toBe("6\n");
  });

  test("what the environment tells Node.js can neither break it nor make it write", () => {
    const written = path.join(folder, "written");
    const env = {
      PATH: process.env["PATH"],
      NODE_OPTIONS: "--no-such-option --require ./missing.js",
      NODE_COMPILE_CACHE: path.join(written, "cache"),
      NODE_V8_COVERAGE: path.join(written, "coverage"),
      NODE_REDIRECT_WARNINGS: path.join(written, "warnings"),
      NODE_DEBUG: "module,fs",
      NODE_DEBUG_NATIVE: "CODE_CACHE",
      NODE_PATH: "/nowhere",
    };
    expect(startedBy(start(path.join(project, "bin/lifeboat"), [], { env })).argv).toEqual([]);
    expect(existsSync(written)).toBe(false);
  });

  test("nothing is written, neither to the project nor to the temporary folder nor home", () => {
    const tmp = path.join(folder, "tmp");
    const home = path.join(folder, "home");
    mkdirSync(tmp);
    mkdirSync(home);
    const before = readdirSync(project, { recursive: true }).toSorted();
    startedBy(
      start(path.join(project, "bin/lifeboat"), [], { env: { PATH: "/usr/bin:/bin", TMPDIR: tmp, HOME: home } }),
    );
    expect(readdirSync(project, { recursive: true }).toSorted()).toEqual(before);
    expect([...readdirSync(tmp), ...readdirSync(home)]).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)("as a user without home, name or rights", () => {
    // The carried Node.js may lie below a folder that only root can enter (a checkout under /root).
    const reachable =
      spawnSync(path.join(NODE_FOLDER, "bin/node"), ["--version"], { uid: 65_534, gid: 65_534 }).status === 0;
    if (!reachable) return;
    const seen = startedBy(
      start(path.join(project, "bin/lifeboat"), ["x"], { env: {}, uid: 65_534, gid: 65_534, cwd: "/" }),
    );
    expect(seen.argv).toEqual(["x"]);
  });
});

describe("what is missing", () => {
  test("without a build it says what to run", () => {
    const bare = path.join(folder, "bare");
    makeProject(bare, { dist: false });
    for (const name of ["lifeboat", "backup"]) {
      const result = start(path.join(bare, "bin", name), ["--version"]);
      expect(result.status).toBe(1);
      expect(result.stdout).toBe("");
      expect(result.stderr).toContain("npm ci && npm run build");
      expect(result.stderr.trim().split("\n")).toHaveLength(1);
    }
  });

  test("without its own Node.js it takes one that is new enough", () => {
    const bare = path.join(folder, "bare");
    makeProject(bare, { node: false });
    const lifeboat = path.join(bare, "bin/lifeboat");
    // A machine may have its own in the image's place, which then comes first.
    if (existsSync("/usr/local/bin/node")) return;
    const withPath = (...folders: string[]) =>
      start(lifeboat, [], { env: { PATH: [...folders, "/nowhere"].join(":") } });
    expect(withPath(fakeNode("v26.0.0")).stdout).toBe("used v26.0.0\n");
    expect(withPath(fakeNode("v27.1.0-pre")).stdout).toBe("used v27.1.0-pre\n");
    for (const version of ["v20.19.0", "v9.0.0", "nonsense", ""]) {
      const result = withPath(fakeNode(version));
      expect(result.status).toBe(1);
      expect(result.stderr).toContain("no Node.js 26 or newer");
    }
  });
});
