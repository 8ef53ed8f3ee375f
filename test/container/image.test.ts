import { expect, test } from "vitest";
import { docker, image, run } from "./docker.ts";

interface Inspected {
  readonly Size: number;
  readonly Config: {
    readonly Volumes: unknown;
    readonly User: string;
    readonly Entrypoint: string[];
    readonly Cmd: string[];
    readonly StopSignal: string;
    readonly Healthcheck?: { readonly Test: string[] };
  };
}

async function inspect(name: string): Promise<Inspected> {
  const [found] = JSON.parse(await docker("image", "inspect", name)) as Inspected[];
  if (found === undefined) throw new Error(`no image ${name}`);
  return found;
}

test("what the image adds to its base is small", async () => {
  const whole = (await inspect(image())).Size / 1e6;
  const base = (await inspect("node:26-trixie-slim")).Size / 1e6;
  console.log(
    `image: ${whole.toFixed(0)} MB, of which ${(whole - base).toFixed(1)} MB are Lifeboat and ${base.toFixed(0)} MB its base`,
  );
  expect(whole - base).toBeLessThan(25);
});

test("it says how it is to be run", async () => {
  const { Config } = await inspect(image());
  expect(Config.Volumes ?? null).toBeNull();
  expect(Config.User).toBe("");
  expect(Config.Entrypoint[0]).toBe("/usr/bin/tini");
  expect(Config.Cmd).toEqual(["lifeboat", "daemon"]);
  expect(Config.StopSignal).toBe("SIGTERM");
  expect(Config.Healthcheck?.Test[0]).toBe("CMD");
});

test("the places that panels and users know", async () => {
  const script = `
    command -v lifeboat; command -v backup; command -v npm || echo no npm
    for folder in /config /etc/dockervolumebackup /archive /backup; do [ -e $folder ] && echo "$folder is there"; done
    touch /var/lock/x && ls /run/lock /var/run/lock
    stat -c %a /data /run/lock`;
  expect((await docker("run", "--rm", "--entrypoint", "sh", image(), "-c", script)).split("\n")).toEqual([
    "/usr/bin/lifeboat",
    "/usr/bin/backup",
    "no npm",
    "/run/lock:",
    "x",
    "",
    "/var/run/lock:",
    "x",
    "1777",
    "1777",
  ]);
});

test.each([
  [["lifeboat", "--version"], /^lifeboat \d/],
  [["--help"], /backup -foreground/],
  [["list", "--help"], /^usage: lifeboat list/],
  [["sh", "-c", "echo any program"], /^any program/],
])("docker run IMAGE %j", async (command, expected) => {
  const { code, stdout } = await run("docker", [
    "run",
    "--rm",
    "--network",
    "none",
    "--read-only",
    "--user",
    "4711:4711",
    image(),
    ...command,
  ]);
  expect(stdout).toMatch(expected);
  expect(code).toBe(0);
});

test("the entry point of the image that it replaces", async () => {
  const args = [
    "run",
    "--rm",
    "--network",
    "none",
    "--env",
    "BACKUP_CRON_EXPRESSION=no cron",
    "--entrypoint",
    "/usr/bin/backup",
  ];
  const { code, stdout, stderr } = await run("docker", [...args, image(), "-foreground"]);
  expect(stdout + stderr).toContain("BACKUP_CRON_EXPRESSION");
  expect(stdout + stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(5);
});
