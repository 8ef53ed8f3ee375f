/**
 * The first five minutes with Lifeboat, on this machine, without Docker: makes a small site, runs the daemon on a config
 * folder with a schedule of seconds, changes the configuration while it runs, and shows what came of it.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const root = resolve(import.meta.dirname, "..");
const lifeboat = join(root, "bin", "lifeboat");
const work = mkdtempSync(join(tmpdir(), "lifeboat-demo-"));
const folders = {
  site: join(work, "backup"),
  config: join(work, "config"),
  archives: join(work, "archive"),
  state: join(work, "state"),
};
const environment = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  CONFIG_DIR: folders.config,
  STATE_DIR: folders.state,
  LOCK_FILE: join(work, "lifeboat.lock"),
  ...(process.env["TZ"] === undefined ? {} : { TZ: process.env["TZ"] }),
};

function makeSite(): void {
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const at = (...parts: string[]): string => join(folders.site, "html", ...parts);
  mkdirSync(at("images", "2026"), { recursive: true });
  mkdirSync(at("a folder with spaces", "ünïcödé ☂"), { recursive: true });
  for (let page = 0; page < 200; page += 1) {
    writeFileSync(
      at(`page-${page}.html`),
      `<h1>Page ${page}</h1>\n${"<p>Lorem ipsum dolor sit amet.</p>\n".repeat(40 + page)}`,
    );
  }
  const noise = Buffer.alloc(400_000);
  for (let image = 0; image < 12; image += 1) {
    crypto.getRandomValues(noise.subarray(0, 65_536));
    crypto.getRandomValues(noise.subarray(65_536, 131_072));
    writeFileSync(at("images", "2026", `photo-${image}.jpg`), noise);
  }
  writeFileSync(at("a folder with spaces", "ünïcödé ☂", 'it\'s "quoted" & <odd>.txt'), "odd names are fine\n");
  writeFileSync(at("empty.txt"), "");
  writeFileSync(at(`${"long-".repeat(45)}name.txt`), "a name of 233 letters\n");
  symlinkSync("page-0.html", at("index.html"));
  symlinkSync("/nowhere/at/all", at("dangling"));
  linkSync(at("page-1.html"), at("page-1-again.html"));
  const past = new Date("2001-09-09T01:46:40.123Z");
  utimesSync(at("page-2.html"), past, past);
  lutimesSync(at("dangling"), past, past);
  writeFileSync(join(folders.site, "crons.ini"), "[backup]\nschedule = daily\n");
}

function writeConfig(seconds: number, extra: string): void {
  const lines = [
    "# one file, one job",
    `BACKUP_CRON_EXPRESSION=*/${seconds} * * * * *`,
    `BACKUP_SOURCES=${folders.site}`,
    `BACKUP_ARCHIVE=${folders.archives}`,
    "BACKUP_FILENAME=site-%Y-%m-%dT%H-%M-%S.{{ .Extension }}",
    extra,
  ];
  writeFileSync(join(folders.config, "site.env"), `${lines.join("\n")}\n`);
}

function archives(): string[] {
  return readdirSync(folders.archives)
    .filter((name) => name.startsWith("site-"))
    .sort();
}

async function until(what: string, done: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (done()) return;
    await pause(100);
  }
  throw new Error(`gave up waiting: ${what}`);
}

function say(text: string): void {
  process.stdout.write(`\n== ${text}\n`);
}

function show(...args: string[]): void {
  process.stdout.write(`$ lifeboat ${args.join(" ")}\n`);
  const { status, stdout, stderr } = spawnSync(lifeboat, args, { env: environment, encoding: "utf8" });
  process.stdout.write(stdout + stderr);
  if (status !== 0) throw new Error(`lifeboat ${args.join(" ")} ended with ${status}`);
}

async function main(): Promise<void> {
  if (!existsSync(join(root, "dist", "main.js"))) throw new Error("run npm run build first");
  makeSite();
  writeConfig(2, "");

  say("the daemon runs a job every two seconds");
  const daemon = spawn(lifeboat, ["daemon"], { env: environment, stdio: ["ignore", "inherit", "inherit"] });
  await until("the second archive", () => archives().length >= 2);

  say("the job's file changes while it runs: zstd, every three seconds, keep the last three");
  writeConfig(3, "BACKUP_COMPRESSION=zst\nBACKUP_KEEP_LAST=3");
  await until("an archive with the new settings", () => archives().some((name) => name.endsWith(".tar.zst")));
  await pause(500);

  daemon.kill("SIGTERM");
  await new Promise((done) => daemon.once("close", done));

  say("what happened");
  show("history");
  say("what there is");
  show("list");
  const newest = archives().at(-1) ?? "";
  say("what is in the newest archive (first lines)");
  const listing = execFileSync(lifeboat, ["show", newest], { env: environment, encoding: "utf8" }).split("\n");
  process.stdout.write(`${listing.slice(0, 8).join("\n")}\n… ${listing.length - 1} entries in all\n`);

  say("GNU tar compares each archive with the files");
  for (const name of archives()) {
    const unpack = name.endsWith(".zst") ? ["--zstd"] : ["--gzip"];
    if (name.endsWith(".zst") && spawnSync("zstd", ["--version"]).error !== undefined) {
      process.stdout.write(`${name}: not compared, there is no zstd program here\n`);
      continue;
    }
    const { status, stdout, stderr } = spawnSync(
      "tar",
      ["--compare", ...unpack, "--file", join(folders.archives, name), "--directory", "/"],
      { encoding: "utf8" },
    );
    process.stdout.write(stdout + stderr);
    if (status !== 0) throw new Error(`${name} differs from the files`);
    process.stdout.write(`${name}: no difference\n`);
  }

  say("and back again");
  show("restore", "latest", "--to", join(work, "restored"));
  const restored = join(work, "restored", folders.site);
  execFileSync("diff", ["-r", "--no-dereference", folders.site, restored], { stdio: "inherit" });
  process.stdout.write("the restored files are the same\n");
}

try {
  await main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
