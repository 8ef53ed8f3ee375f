import { hostname } from "node:os";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { SendReport } from "../../src/contracts/notification.ts";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { sendAll } from "../../src/notifications/send/send-all.ts";
import { MAIL_PASSWORD, MAIL_USER, type MailServer, type MailServerOptions, startMailServer } from "../servers/smtp.ts";

const servers: MailServer[] = [];
const usualAuthorities = getCACertificates("default");

afterEach(async () => {
  setDefaultCACertificates(usualAuthorities);
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});
afterAll(() => setDefaultCACertificates(usualAuthorities));

/** A server whose certificate this process trusts, unless told otherwise. */
async function start(options: MailServerOptions, isTrusted = true): Promise<MailServer> {
  const server = await startMailServer(options);
  servers.push(server);
  if (isTrusted) setDefaultCACertificates([...usualAuthorities, server.ca]);
  return server;
}

const USER_INFO = `${MAIL_USER}:${encodeURIComponent(MAIL_PASSWORD)}@`;
const ADDRESSES = "fromaddress=backup@x.test&toaddresses=you@x.test";

async function send(
  port: number,
  rest: string,
  userInfo = USER_INFO,
  host = "localhost",
): Promise<SendReport | undefined> {
  const { routes, problems } = parseRoutes(`smtp://${userInfo}${host}:${port}/?${ADDRESSES}&${rest}`);
  expect(problems).toEqual([]);
  const message = { title: "Backup failed", body: "Job photos failed\nexit code 3", level: "error" as const };
  return (await sendAll(routes, message, { signal: AbortSignal.timeout(30_000) }))[0];
}

describe("login", () => {
  it.each([
    { auth: "Plain", used: "PLAIN" },
    { auth: "CRAMMD5", used: "CRAM-MD5" },
    { auth: "oauth2", used: "XOAUTH2" },
    { auth: "login", used: "LOGIN" },
    { auth: "Unknown", used: "PLAIN" },
  ])("auth=$auth with TLS", async ({ auth, used }) => {
    const server = await start({ tls: "starttls", mechanisms: ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"] });
    expect(await send(server.port, `auth=${auth}`)).toMatchObject({ isDelivered: true, problems: [] });
    expect(server.logins).toEqual([used]);
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]?.isEncrypted).toBe(true);
  });

  it("takes what the server offers where the URL does not say", async () => {
    const server = await start({ tls: "starttls", mechanisms: ["LOGIN"] });
    expect((await send(server.port, ""))?.problems).toEqual([]);
    expect(server.logins).toEqual(["LOGIN"]);
  });

  it("is left out with auth=none and without a user", async () => {
    const server = await start({ tls: "none", mechanisms: [] });
    expect((await send(server.port, "auth=none"))?.isDelivered).toBe(true);
    expect((await send(server.port, "", ""))?.isDelivered).toBe(true);
    expect(server.logins).toEqual([]);
    expect(server.mails).toHaveLength(2);
  });

  it("with a wrong password is refused once, and the password is not shown", async () => {
    const server = await start({ tls: "starttls", mechanisms: ["PLAIN"] });
    const report = await send(server.port, "", `${MAIL_USER}:wr0ng-word@`);
    expect(report).toMatchObject({
      isDelivered: false,
      canRetry: false,
      problems: ["535 Invalid username or password"],
    });
    expect(server.logins).toHaveLength(1);
  });
});

describe("encryption", () => {
  it("ImplicitTLS speaks TLS from the first byte", async () => {
    const server = await start({ tls: "implicit", mechanisms: ["PLAIN"] });
    expect((await send(server.port, "encryption=ImplicitTLS"))?.problems).toEqual([]);
    expect(server.mails[0]?.isEncrypted).toBe(true);
  });

  it("ImplicitTLS at a port without TLS is an error that says so", async () => {
    const server = await start({ tls: "none", mechanisms: [] });
    const report = await send(server.port, "encryption=implicittls");
    expect(report?.isDelivered).toBe(false);
    expect(report?.problems.join()).toMatch(/ssl|tls|version/i);
  });

  it.each(["Auto", "ExplicitTLS", "None"])("encryption=%s takes STARTTLS where it is offered", async (encryption) => {
    const server = await start({ tls: "starttls", mechanisms: ["PLAIN"] });
    expect((await send(server.port, `encryption=${encryption}`))?.problems).toEqual([]);
    expect(server.mails[0]?.isEncrypted).toBe(true);
  });

  it("usestarttls=no stays in plain text", async () => {
    const server = await start({ tls: "starttls", mechanisms: ["PLAIN"] });
    expect((await send(server.port, "usestarttls=no"))?.isDelivered).toBe(true);
    expect(server.mails[0]?.isEncrypted).toBe(false);
  });

  it("requirestarttls refuses a server without", async () => {
    const server = await start({ tls: "none", mechanisms: [] });
    const report = await send(server.port, "requirestarttls=yes", "");
    expect(report).toMatchObject({ isDelivered: false, canRetry: false });
    expect(server.mails).toHaveLength(0);
  });

  it.each(["implicit", "starttls"] as const)(
    "an unknown certificate is refused (%s), unless skiptlsverify is set",
    async (tls) => {
      const server = await start({ tls, mechanisms: ["PLAIN"] }, false);
      const encryption = tls === "implicit" ? "encryption=implicittls" : "";
      const report = await send(server.port, encryption);
      expect(report).toMatchObject({ isDelivered: false, canRetry: false });
      expect(report?.problems.join()).toMatch(/certificate/i);
      expect(server.mails).toHaveLength(0);
      expect((await send(server.port, `${encryption}&skiptlsverify=yes`))?.isDelivered).toBe(true);
    },
  );
});

describe("a whole mail, read back", () => {
  it("has the sender's name, both parts, and the machine's name in the greeting", async () => {
    const server = await start({ tls: "starttls", mechanisms: ["PLAIN"] });
    const report = await send(server.port, "usehtml=yes&fromname=B%C3%A4ckup&clienthost=auto");
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    const [{ from, recipients, mail, clientName } = expect.fail()] = server.mails;
    expect({ from, recipients }).toEqual({ from: "backup@x.test", recipients: ["you@x.test"] });
    expect(mail.from?.value).toEqual([{ name: "Bäckup", address: "backup@x.test" }]);
    expect(mail.subject).toBe("Backup failed");
    expect(mail.text?.trimEnd()).toBe("Job photos failed\nexit code 3");
    expect(typeof mail.html === "string" ? mail.html.trimEnd() : "").toBe("Job photos failed\nexit code 3");
    expect(mail.messageId).toMatch(/^<.+@x\.test>$/);
    expect(mail.date).toBeInstanceOf(Date);
    expect(clientName).toBe(hostname().toLowerCase());
  });

  it("reaches the others when one of several is refused", async () => {
    const server = await start({ tls: "none", mechanisms: [] });
    const { routes } = parseRoutes(
      `smtp://localhost:${server.port}/?from=a@x.test&to=one@x.test%2Cnobody@x.test%2Ctwo@x.test`,
    );
    const [report] = await sendAll(
      routes,
      { title: "t", body: "b", level: "info" },
      { signal: AbortSignal.timeout(20_000) },
    );
    expect(report).toMatchObject({
      isDelivered: false,
      deliveredTargets: ["recipient 1", "recipient 3"],
      problems: ["recipient 2: 550 no such user"],
    });
    expect(server.mails.map(({ mail }) => [mail.to].flat().map((to) => to?.text))).toEqual([
      ["one@x.test"],
      ["two@x.test"],
    ]);
  });
});
