import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { entryNames, isRoot, makeArchive, runQuietly, temporaryFolder } from "./make.ts";

function filesIn(folder: string, ...names: string[]): void {
  for (const name of names) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), name);
  }
}

function namesBelow(tar: Buffer, folder: string): string[] {
  return entryNames(tar).map((name) => path.relative(folder, `/${name}`));
}

describe("a source", () => {
  it("that is a link is followed, with a notice", async () => {
    using folder = temporaryFolder();
    filesIn(folder.path, "target/file");
    symlinkSync("target", path.join(folder.path, "source"));
    const { bytes, notices } = await makeArchive([path.join(folder.path, "source")]);
    expect(namesBelow(bytes, folder.path)).toEqual(["source", "source/file"]);
    expect(notices).toMatchObject([
      { kind: "link-followed", incomplete: false, detail: `a link: its target ${folder.path}/target was archived` },
    ]);
  });

  it("that is a file is one entry", async () => {
    using folder = temporaryFolder();
    filesIn(folder.path, "file");
    const { bytes, result } = await makeArchive([path.join(folder.path, "file")]);
    expect(namesBelow(bytes, folder.path)).toEqual(["file"]);
    expect(result.counts).toEqual({ files: 1, directories: 0, symlinks: 0, hardlinks: 0, others: 0 });
  });

  it("that is missing, dangling or not absolute is an error of its own", async () => {
    using folder = temporaryFolder();
    filesIn(folder.path, "good/file");
    symlinkSync("nowhere", path.join(folder.path, "dangling"));
    const sources = ["good", "missing", "dangling"].map((name) => path.join(folder.path, name));
    const { result } = await makeArchive([...sources, "relative", "/nul\0"]);
    expect(result.sources.map(({ path: source, error }) => [path.basename(source), error])).toEqual([
      ["good", undefined],
      ["missing", "ENOENT: no such file or directory"],
      ["dangling", "ENOENT: no such file or directory"],
      ["relative", "not an absolute path"],
      ["nul\0", "not an absolute path"],
    ]);
    expect(result.sources[0]?.counts).toMatchObject({ files: 1, directories: 1 });
    expect(result.counts).toMatchObject({ files: 1, directories: 1 });
  });

  it("within another is archived once and counted for both", async () => {
    using folder = temporaryFolder();
    filesIn(folder.path, "outer/a", "outer/inner/b", "outer/inner/c", "outer/z", "outer-not/d");
    const at = (name: string): string => path.join(folder.path, name);
    const { bytes, result } = await makeArchive([
      at("outer/inner/"),
      at("outer-not"),
      at("outer"),
      at("outer//inner/../inner"),
    ]);
    expect(namesBelow(bytes, folder.path)).toEqual([
      "outer",
      "outer/a",
      "outer/inner",
      "outer/inner/b",
      "outer/inner/c",
      "outer/z",
      "outer-not",
      "outer-not/d",
    ]);
    expect(result.sources.map(({ counts }) => counts.files)).toEqual([2, 1, 4, 2]);
    expect(result.counts).toMatchObject({ files: 5, directories: 3 });
  });

  it("within another that is a link is followed; one that is gone is an error", async () => {
    using folder = temporaryFolder();
    filesIn(folder.path, "outer/a", "elsewhere/b");
    symlinkSync("../elsewhere", path.join(folder.path, "outer/link"));
    const sources = ["outer", "outer/link", "outer/gone"].map((name) => path.join(folder.path, name));
    const { bytes, result, notices } = await makeArchive(sources);
    expect(namesBelow(bytes, folder.path)).toEqual(["outer", "outer/a", "outer/link", "outer/link/b"]);
    expect(notices.map(({ kind }) => kind)).toEqual(["link-followed"]);
    expect(result.sources.map(({ error }) => error)).toEqual([
      undefined,
      undefined,
      "ENOENT: no such file or directory",
    ]);
  });

  it("of several has its own error where it lies in an excluded folder", async () => {
    using folder = temporaryFolder();
    filesIn(folder.path, "outer/a", "outer/inner/deep/b");
    const sources = ["outer", "outer/inner/deep"].map((name) => path.join(folder.path, name));
    const { result } = await makeArchive(sources, { excludeGlobs: ["inner"] });
    expect(result.sources[1]?.error).toBe("it lies in a folder that was left out");
  });

  it.runIf(isRoot)("of `/` has sensible names and leaves the kernel's file systems out", async () => {
    // Only the top: everything below is pruned but /proc.
    const { bytes, notices, result } = await makeArchive(["/"], { excludeGlobs: ["/*/**"] });
    const names = entryNames(bytes);
    expect(names[0]).toBe(".");
    expect(names).toContain("proc");
    expect(names.some((name) => name.startsWith("/"))).toBe(false);
    expect(notices.filter(({ kind }) => kind === "crossed").map(({ path: at }) => at)).toContain("/proc");
    expect(result.counts.directories).toBeGreaterThan(3);
  });
});

describe("what the run itself writes", () => {
  it("is left out with a notice, by its real path and by its inode", async () => {
    using folder = temporaryFolder();
    filesIn(
      folder.path,
      "source/a",
      "source/archive/old.tar",
      "source/archived/b",
      "source/state/history.db",
      "other/spool",
    );
    symlinkSync("source", path.join(folder.path, "alias"));
    linkSync(path.join(folder.path, "other/spool"), path.join(folder.path, "source/spool"));
    const { bytes, notices, result } = await makeArchive([path.join(folder.path, "source")], {
      ownPaths: [
        `${folder.path}/source/archive`,
        `${folder.path}/alias/state/`,
        `${folder.path}/other/spool`,
        `${folder.path}/source/none`,
      ],
    });
    expect(namesBelow(bytes, folder.path)).toEqual(["source", "source/a", "source/archived", "source/archived/b"]);
    expect(notices.map(({ kind, path: at }) => `${kind} ${path.basename(at)}`)).toEqual([
      "own archive",
      "own spool",
      "own state",
    ]);
    expect(result.incomplete).toBe(0);
  });

  it("is recognised below a source that is a link", async () => {
    using folder = temporaryFolder();
    filesIn(folder.path, "real/a", "real/archive/b");
    symlinkSync("real", path.join(folder.path, "source"));
    const { bytes } = await makeArchive([path.join(folder.path, "source")], {
      ownPaths: [`${folder.path}/real/archive`],
    });
    expect(namesBelow(bytes, folder.path)).toEqual(["source", "source/a"]);
  });

  it("is an error where it is the source", async () => {
    using folder = temporaryFolder();
    filesIn(folder.path, "source/a");
    const source = path.join(folder.path, "source");
    const { result } = await makeArchive([source], { ownPaths: [source] });
    expect(result.sources[0]).toMatchObject({ counts: { files: 0 }, error: "it is where the backup itself writes" });
  });
});

describe("without privileges", () => {
  it.runIf(isRoot)("what can't be read is left out, the rest is archived", () => {
    using folder = temporaryFolder();
    filesIn(
      folder.path,
      "source/mine",
      "source/theirs",
      "source/secret",
      "source/closed/file",
      "source/blind/file",
      "out/none",
    );
    chmodSync(folder.path, 0o755);
    const at = (name: string): string => path.join(folder.path, name);
    for (const name of ["source/mine", "source/blind", "out"]) chownSync(at(name), 65534, 65534);
    chmodSync(at("source/secret"), 0o600);
    chmodSync(at("source/closed"), 0o700);
    // Its names can be read, but nothing below it.
    chmodSync(at("source/blind"), 0o444);
    const program = [
      path.join(import.meta.dirname, "run-archive.ts"),
      at("out/archive.tar"),
      JSON.stringify({ sources: [at("source")] }),
    ];
    const said = execFileSync(process.execPath, program, { uid: 65534, gid: 65534, cwd: "/" });
    const { result, notices } = JSON.parse(said.toString()) as Awaited<ReturnType<typeof makeArchive>>;
    expect(notices.map(({ kind, path: where, detail }) => [kind, path.relative(at("source"), where), detail])).toEqual([
      ["unreadable", "blind", "EACCES: permission denied: its content was left out"],
      ["unreadable", "closed", "EACCES: permission denied: its content was left out"],
      ["unreadable", "secret", "EACCES: permission denied: left out"],
    ]);
    expect(result.incomplete).toBe(3);
    expect(namesBelow(readFileSync(at("out/archive.tar")), at("source"))).toEqual([
      "",
      "blind",
      "closed",
      "mine",
      "theirs",
    ]);
  });
});

describe("odd entries", () => {
  it("sockets are left out with a notice, FIFOs are entries that are never read", async () => {
    using folder = temporaryFolder();
    runQuietly("python3", [
      "-c",
      "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
      path.join(folder.path, "socket"),
    ]);
    runQuietly("mkfifo", [path.join(folder.path, "fifo")]);
    const { result, notices } = await makeArchive([folder.path]);
    expect(notices).toMatchObject([{ kind: "socket", incomplete: false }]);
    expect(result.counts).toEqual({ files: 0, directories: 1, symlinks: 0, hardlinks: 0, others: 1 });
  });

  it.runIf(existsSync("/proc/self/status"))(
    "files that the kernel makes up are stored as empty as they look",
    async () => {
      const { result } = await makeArchive(["/proc/self/status"]);
      expect(result.counts.files).toBe(1);
      expect(result.bytesRead).toBe(0);
    },
  );

  it("names and notices never carry control characters", async () => {
    using folder = temporaryFolder();
    runQuietly("python3", [
      "-c",
      "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
      path.join(folder.path, "so\u001b[31m\nck"),
    ]);
    const { notices } = await makeArchive([folder.path]);
    expect(notices[0]?.path).toBe(`${folder.path}/so\\u{1b}[31m\\nck`);
  });
});
