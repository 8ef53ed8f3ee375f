import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { createValues } from "../../src/config/values.ts";
import type { Job } from "../../src/contracts/job.ts";
import type { Log } from "../../src/contracts/log.ts";
import { testJob } from "../../src/cli/notify-test.ts";
import { emailUrl, jobRoutes } from "../../src/notifications/job-routes.ts";
import { type Script, startScriptedServer } from "./smtp-script.ts";

type Raw = Readonly<Record<string, string>>;

const labels = (raw: Raw): (readonly [string, string])[] =>
  jobRoutes(createValues(raw)).routes.map(({ label, level }) => [label, level]);

describe("whom a job tells", () => {
  it("comes from all of its settings, each with its level", () => {
    expect(
      labels({
        NOTIFICATION_URLS: "ntfy://h/a,ntfy://h/b",
        NOTIFICATION_URLS_ERROR: "gotify://h/AzyoeNS.D4iJLVa",
        NOTIFICATION_URLS_INFO: "logger://",
      }),
    ).toEqual([
      ["ntfy 1", "error"],
      ["ntfy 2", "error"],
      ["gotify 1 of NOTIFICATION_URLS_ERROR", "error"],
      ["logger 1 of NOTIFICATION_URLS_INFO", "info"],
    ]);
    expect(labels({ NOTIFICATION_LEVEL: "info", NOTIFICATION_URLS: "ntfy://h/a" })).toEqual([["ntfy 1", "info"]]);
  });

  it("is told once where a URL stands in two settings", () => {
    expect(labels({ NOTIFICATION_URLS: "ntfy://h/a", NOTIFICATION_URLS_INFO: "ntfy://h/a" })).toEqual([
      ["ntfy 1", "info"],
    ]);
  });

  it("keeps what is good and reports what is not, with the setting", () => {
    const { routes, problems } = jobRoutes(
      createValues({ NOTIFICATION_URLS: "ntfy://h/a", NOTIFICATION_URLS_ERROR: "ntfy://h,foo:" }),
    );
    expect(routes).toHaveLength(1);
    expect(problems).toEqual([
      "NOTIFICATION_URLS_ERROR: URL 1 of 2 (ntfy): has no topic: write ntfy://host/topic",
      expect.stringMatching(/^NOTIFICATION_URLS_ERROR: URL 2 of 2 \(foo\): no service is called so/),
    ]);
  });

  it("has an id that changes with the URL only", () => {
    const id = (raw: Raw): string | undefined => jobRoutes(createValues(raw)).routes.at(-1)?.id;
    expect(id({ NOTIFICATION_URLS: "ntfy://h/a,ntfy://h/b" })).toBe(id({ NOTIFICATION_URLS_INFO: "ntfy://h/b" }));
    expect(id({ NOTIFICATION_URLS: "ntfy://h/a" })).not.toBe(id({ NOTIFICATION_URLS: "ntfy://h/b" }));
  });
});

describe("the deprecated mail settings", () => {
  const mail = { EMAIL_NOTIFICATION_RECIPIENT: "me+tag@x.test,you@x.test", EMAIL_SMTP_HOST: "mail.x.test" };

  it("mean one smtp URL, whatever characters they hold", () => {
    expect(emailUrl(createValues(mail))).toBe(
      "smtp://mail.x.test:587/?fromaddress=noreply%40nohost&toaddresses=me%2Btag%40x.test%2Cyou%40x.test",
    );
    const all = { ...mail, EMAIL_SMTP_USERNAME: "u@x", EMAIL_SMTP_PASSWORD: "p@/#%41", EMAIL_SMTP_PORT: "25" };
    expect(emailUrl(createValues(all))).toContain("smtp://u%40x:p%40%2F%23%2541@mail.x.test:25/");
    expect(labels(all)).toEqual([["smtp 1 of EMAIL_NOTIFICATION_RECIPIENT", "error"]]);
    expect(emailUrl(createValues({ EMAIL_SMTP_HOST: "mail.x.test" }))).toBeUndefined();
  });
});

describe("notify-test", () => {
  const silent = (): void => undefined;
  const log: Log = { debug: silent, info: silent, warn: silent, error: silent, with: () => log };

  async function run(raw: Raw, level?: "error" | "info"): Promise<{ isGood: boolean; lines: string[] }> {
    const lines: string[] = [];
    const job: Job = { name: "site", origin: { kind: "environment" }, values: createValues(raw), raw, environment: {} };
    const output = { print: (text: string) => lines.push(text), remark: silent };
    const isGood = await testJob(
      job,
      level,
      { log, redact: (text) => text },
      { output, signal: AbortSignal.timeout(20_000) },
    );
    return { isGood, lines };
  }

  it("sends through every route, names it by service and place, and says what failed", async () => {
    const script: Script = { ehlo: ["250 fake"] };
    const server = await startScriptedServer(script);
    const web = createServer((_, response) => response.writeHead(404).end("no such hook"));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    const { isGood, lines } = await run({
      NOTIFICATION_URLS: `smtp://localhost:${server.port}/?from=a@x.test&to=b@x.test,generic+http://localhost:${port}/s3cret`,
    });
    await server.close();
    web.closeAllConnections();
    web.close();
    expect(isGood).toBe(false);
    expect(lines).toEqual(["site: smtp 1: delivered", "site: generic 2: failed: HTTP 404: no such hook"]);
    expect(server.mails[0]).toContain("Subject: Lifeboat test: site");
  });

  it("with --level info leaves out who is told errors only, and names bad URLs", async () => {
    expect(await run({ NOTIFICATION_URLS: "logger://", NOTIFICATION_URLS_INFO: "logger://x" }, "info")).toEqual({
      isGood: true,
      lines: ["site: logger 1 of NOTIFICATION_URLS_INFO: delivered"],
    });
    const { isGood, lines } = await run({ NOTIFICATION_URLS: "ntfy://h" });
    expect(isGood).toBe(false);
    expect(lines).toEqual([
      "site: can't be used: NOTIFICATION_URLS: URL 1 of 1 (ntfy): has no topic: write ntfy://host/topic",
    ]);
    expect(await run({})).toEqual({
      isGood: true,
      lines: ["site: nobody is told: no notification URL is set for this"],
    });
  });
});
