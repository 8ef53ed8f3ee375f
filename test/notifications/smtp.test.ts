import { simpleParser } from "mailparser";
import { describe, expect, it } from "vitest";
import type { SendReport } from "../../src/contracts/notification.ts";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { sendAll } from "../../src/notifications/send/send-all.ts";
import { recorded, type RecordedMail } from "./recorded.ts";
import { type Script, type ScriptedServer, startScriptedServer } from "./smtp-script.ts";

const dialogues = recorded.smtp.filter((one) => one.dialogue !== undefined);
const invalid = recorded.smtp.filter((one) => one.dialogue === undefined);

/** What Lifeboat does otherwise, by case. */
const DEVIATIONS: Readonly<Record<string, { reason: string; commands?: (recordedOnes: string[]) => string[] }>> = {
  "smtp-6": {
    reason: "D10: every recipient is tried; the server is told to forget the refused one",
    commands: (commands) => [
      ...commands,
      "RSET",
      "MAIL FROM:<a@example.com>",
      "RCPT TO:<third@example.com>",
      "DATA",
      "QUIT",
    ],
  },
  "smtp-invalid-unknown-auth": { reason: "REC smtp: auth=login is supported" },
  "smtp-invalid-unknown-prop": { reason: "REC smtp: timeout is supported" },
};

async function send(url: string, title: string | null, body: string): Promise<SendReport | undefined> {
  const { routes } = parseRoutes(url.replaceAll(",", "%2C"));
  const message = { ...(title === null ? {} : { title }), body, level: "error" as const };
  const [report] = await sendAll(routes, message, { signal: AbortSignal.timeout(10_000) });
  return report;
}

/** The client's commands of a dialogue, without the mails, and what the server is to say. */
function split(dialogue: readonly string[]): { commands: string[]; script: Script } {
  const commands: string[] = [];
  const answers: Record<string, string> = {};
  let isMail = false;
  for (const [index, line] of dialogue.entries()) {
    const text = line.slice(3);
    if (line.startsWith("S: 354")) isMail = true;
    if (!line.startsWith("C: ")) continue;
    if (isMail) {
      isMail = text !== ".";
      continue;
    }
    // 8BITMIME is not needed: the mail is sent as quoted-printable where it is not plain ASCII.
    commands.push(text.replace(" BODY=8BITMIME", ""));
    const next = dialogue[index + 1]?.slice(3) ?? "";
    if (/^(?:334|5)/.test(next)) answers[text] = next;
  }
  const ehlo = dialogue.filter((line) => /^S: 250[- ]/.test(line)).map((line) => line.slice(3));
  return { commands, script: { ehlo: ehlo.slice(0, ehlo.findIndex((line) => line.startsWith("250 ")) + 1), answers } };
}

async function play(
  one: RecordedMail,
): Promise<{ report: SendReport | undefined; server: ScriptedServer; commands: string[] }> {
  const { commands, script } = split(one.dialogue ?? []);
  const server = await startScriptedServer(script);
  try {
    return {
      report: await send(one.url.replace(":2525", `:${server.port}`), one.title, one.message),
      server,
      commands,
    };
  } finally {
    await server.close();
  }
}

describe("recorded dialogues", () => {
  it.each(dialogues.map((one) => ({ ...one, name: one.id })))("$name", async (one) => {
    const { report, server, commands } = await play(one);
    const change = DEVIATIONS[one.id]?.commands;
    expect(server.commands).toEqual(change === undefined ? commands : change(commands));
    expect(report?.isDelivered).toBe(one.result === "ok");
    for (const mail of server.mails) {
      const parsed = await simpleParser(mail);
      expect(parsed.subject).toBe(one.title ?? "From URL");
      expect(parsed.text?.trimEnd()).toBe(one.message);
      expect(mail).toMatch(/^Message-ID: <\S+>\r$/m);
      if (one.url.includes("usehtml")) expect(parsed.html).toBe(one.message);
    }
  });

  it.each(invalid.map((one) => ({ ...one, name: one.id })))("$name", ({ id, url }) => {
    expect(parseRoutes(url).routes).toHaveLength(DEVIATIONS[id] === undefined ? 0 : 1);
  });

  it("only lists deviations of recorded cases", () => {
    expect(recorded.smtp.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(DEVIATIONS)));
  });
});

describe("mail", () => {
  const plain: Script = { ehlo: ["250 fake"] };

  it("can't be given further headers by the title, the sender's name or the text", async () => {
    const server = await startScriptedServer(plain);
    const url = `smtp://localhost:${server.port}/?from=a@x.test&to=b@x.test&fromname=N%0D%0ABcc:+evil@x.test`;
    const report = await send(url, "Failed\r\nBcc: evil@x.test\n\nbody", ".\r\n.\r\nBcc: evil@x.test");
    await server.close();
    expect(report?.problems).toEqual([]);
    const { headers, bcc, subject, text } = await simpleParser(server.mails[0] ?? "");
    expect(bcc).toBeUndefined();
    expect(headers.has("bcc")).toBe(false);
    expect(subject).toBe("Failed Bcc: evil@x.test body");
    expect(text?.trimEnd().split(/\r?\n/)).toEqual([".", ".", "Bcc: evil@x.test"]);
    expect(server.commands.filter((line) => line.startsWith("RCPT"))).toEqual(["RCPT TO:<b@x.test>"]);
  });

  it("keeps names and texts beyond ASCII, and a megabyte of text", async () => {
    const server = await startScriptedServer(plain);
    const url = `smtp://localhost:${server.port}/?from=a+b@x.test&to=c@x.test,d@x.test&fromname=R%C3%A9sum%C3%A9`;
    const body = "Größe: 1 024 МиБ 完了 🎉\n".repeat(30_000);
    const report = await send(url, "Резервная копия ✅", body);
    await server.close();
    expect(report?.problems).toEqual([]);
    expect(server.mails).toHaveLength(2);
    const { from, subject, text } = await simpleParser(server.mails[1] ?? "");
    expect(from?.value).toEqual([{ name: "Résumé", address: "a+b@x.test" }]);
    expect(subject).toBe("Резервная копия ✅");
    expect(text?.trimEnd()).toBe(body.trimEnd());
  });

  it.each([
    { reply: "451 4.7.1 greylisted, come back later", canRetry: true },
    { reply: "550 5.1.1 no such user", canRetry: false },
  ])("says what the server said: $reply", async ({ reply, canRetry }) => {
    const server = await startScriptedServer({ ...plain, answers: { RCPT: reply } });
    const report = await send(`smtp://localhost:${server.port}/?from=a@x.test&to=b@x.test`, "t", "b");
    await server.close();
    expect(report).toMatchObject({ isDelivered: false, problems: [reply], canRetry });
  });

  it("says that a mail went out unencrypted only where one did", async () => {
    const [good, bad] = [await startScriptedServer(plain, "0.0.0.0"), await startScriptedServer(plain, "0.0.0.0")];
    const query = "?from=a@x.test&to=b@x.test";
    const sent = await send(`smtp://0.0.0.0:${good.port}/${query}`, "t", "b");
    const refused = await send(`smtp://u:p@0.0.0.0:${bad.port}/${query}`, "t", "b");
    await Promise.all([good.close(), bad.close()]);
    expect(sent).toMatchObject({ isDelivered: true, problems: [expect.stringMatching(/went out unencrypted/)] });
    expect(refused).toMatchObject({ isDelivered: false, problems: [expect.stringMatching(/password was not sent/)] });
  });

  it("needs a password beside a user name when it is read, unless there is no login", () => {
    const query = "?from=a@x.test&to=b@x.test";
    for (const url of [`smtp://u@h/${query}`, `smtp://u:@h/${query}&auth=login`])
      expect(parseRoutes(url).problems).toEqual([expect.stringMatching(/user name without a password/)]);
    expect(parseRoutes(`smtp://u@h/${query}&auth=none`).problems).toEqual([]);
  });

  it("does not show the password that the server repeats", async () => {
    const server = await startScriptedServer({
      ...plain,
      answers: { AUTH: "535 5.7.8 s3cret-word is wrong (AHVzZXIAczNjcmV0LXdvcmQ=)" },
    });
    const report = await send(`smtp://user:s3cret-word@localhost:${server.port}/?from=a@x.test&to=b@x.test`, "t", "b");
    await server.close();
    expect(report?.problems[0]).toMatch(/^535 5\.7\.8 /);
    expect(report?.problems.join()).not.toMatch(/s3cret|AHVzZXIAczNjcmV0LXdvcmQ/);
    expect(report?.canRetry).toBe(false);
  });

  it("is tried again after a cut connection, only for those who lack it", async () => {
    const server = await startScriptedServer(plain);
    const { routes } = parseRoutes(`smtp://localhost:${server.port}/?from=a@x.test&to=b@x.test%2Cc@x.test`);
    const first = await sendAll(routes, { body: "b", level: "info" }, { signal: AbortSignal.timeout(10_000) });
    const skip = new Map([[routes[0]?.id ?? "", ["recipient 1"]]]);
    await sendAll(routes, { body: "b", level: "info" }, { signal: AbortSignal.timeout(10_000), skip });
    await server.close();
    expect(first[0]?.deliveredTargets).toEqual(["recipient 1", "recipient 2"]);
    expect(server.commands.filter((line) => line.startsWith("RCPT"))).toEqual([
      "RCPT TO:<b@x.test>",
      "RCPT TO:<c@x.test>",
      "RCPT TO:<c@x.test>",
    ]);
  });
});
