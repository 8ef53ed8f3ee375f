import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(path.join(tmpdir(), "lifeboat-notify-"));
const received: string[] = [];
let server: Server;
let address: string;

beforeAll(async () => {
  for (const name of ["archive", "source", "state"]) mkdirSync(path.join(folder, name));
  writeFileSync(path.join(folder, "source", "file"), "x");
  server = createServer((request, response) => {
    received.push(request.url ?? "");
    request.resume();
    response.writeHead(request.url?.includes("refused") === true ? 403 : 200).end(`answer to ${request.url ?? ""}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly output: string;
}

function lifeboat(args: readonly string[], environment: Record<string, string>): Promise<Ended> {
  const at = (name: string): string => path.join(folder, name);
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path.join(import.meta.dirname, "../../src/main.ts"), ...args],
      {
        env: {
          PATH: process.env["PATH"] ?? "",
          BACKUP_ARCHIVE: at("archive"),
          BACKUP_SOURCES: at("source"),
          STATE_DIR: at("state"),
          LOCK_FILE: at("lock"),
          CONFIG_DIR: "",
          ...environment,
        },
      },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` });
      },
    );
  });
}

describe("the program", () => {
  it("tests every route and names it without its URL", async () => {
    const urls = `generic+http://${address}/s3cret-good,generic+http://${address}/s3cret-refused,generic+http://${address}/s3cret-good`;
    const { code, output } = await lifeboat(["notify-test"], { NOTIFICATION_URLS: urls });
    expect(code).toBe(1);
    expect(output).toContain("default: generic 1: delivered");
    expect(output).toContain("default: generic 2: failed: HTTP 403: answer to /***");
    expect(output).not.toContain("s3cret");
    expect(output).not.toContain(address);
    expect(received).toHaveLength(2);
  });

  it("ends with 0 when all were delivered, and sends only to whom a level concerns", async () => {
    received.length = 0;
    const urls = {
      NOTIFICATION_URLS: `generic+http://${address}/a`,
      NOTIFICATION_URLS_INFO: `generic+http://${address}/b`,
    };
    expect((await lifeboat(["notify-test", "--level", "info"], urls)).code).toBe(0);
    expect(received).toEqual(["/b"]);
    expect((await lifeboat(["notify-test", "--level", "warn"], urls)).code).toBe(2);
  });

  it("tests through the proxy that the job's file names, as runs do", async () => {
    received.length = 0;
    const config = path.join(folder, "config");
    mkdirSync(config);
    writeFileSync(
      path.join(config, "a.env"),
      `HTTP_PROXY=http://${address}\nNOTIFICATION_URLS=generic+http://web.invalid/a\n`,
    );
    const { code, output } = await lifeboat(["notify-test"], { CONFIG_DIR: config });
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("a: generic 1: delivered") });
    expect(received).toEqual(["http://web.invalid/a"]);
  });

  it("check tries the templates, so that a failure's message does not find out what is wrong with them", async () => {
    const config = path.join(folder, "with-templates");
    const templates = path.join(config, "notifications.d");
    mkdirSync(templates, { recursive: true });
    writeFileSync(path.join(config, "a.env"), "NOTIFICATION_URLS=logger://\n");
    const good = `{{ define "title_success" }}{{ .Stats.TookTime }}{{ (index .Stats.Storages "Local").Total }}{{ end }}`;
    writeFileSync(path.join(templates, "1.tmpl"), good);
    const fine = await lifeboat(["check"], { CONFIG_DIR: config });
    expect(fine).toMatchObject({ code: 0, output: expect.stringMatching(/^ok +1 notification template$/m) });
    writeFileSync(path.join(templates, "2.tmpl"), `{{ define "title_failure" }}\n{{ .Stats.TokTime }}{{ end }}`);
    writeFileSync(path.join(templates, "3.tmpl"), `{{ define "x" }`);
    const wrong = await lifeboat(["check"], { CONFIG_DIR: config });
    expect(wrong.code).toBe(1);
    expect(wrong.output).toMatch(/^error +notification template .*3\.tmpl: template: 3\.tmpl:1: /m);
    expect(wrong.output).toMatch(/^error +a: notification template, tried with .*2\.tmpl:2: .*TokTime.*title_failure/m);
    expect(wrong.output.match(/TokTime/g)).toHaveLength(1);
  });

  it("runs the backup although a URL is bad, says so, and check counts it as a fault", async () => {
    received.length = 0;
    const environment = {
      NOTIFICATION_URLS: `foo://hunter2,generic+http://${address}/told,ntfy://hunter2`,
      NOTIFICATION_LEVEL: "info",
      HEALTHCHECK_URL: "hc.example/hunter2",
    };
    const run = await lifeboat(["run"], environment);
    expect(run.code).toBe(0);
    expect(run.output).toMatch(/warn .*URL 1 of 3 \(foo\): no service is called so/);
    expect(run.output).toMatch(/warn .*URL 3 of 3 \(ntfy\): has no topic/);
    expect(run.output).toMatch(/warn .*HEALTHCHECK_URL: is no http or https URL, so nothing is pinged/);
    expect(received).toEqual(["/told"]);
    const check = await lifeboat(["check"], environment);
    expect(check.code).toBe(1);
    expect(check.output).toMatch(/ok .*notification generic 2: usable/);
    expect(`${run.output}${check.output}`).not.toContain("hunter2");
    expect(received).toEqual(["/told"]);
  });
});
