import { readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerAuthentication } from "smtp-server";
import { makeCertificates } from "./certificates.ts";
import { temporaryFolder } from "./program.ts";

export interface ReceivedMail {
  readonly from: string;
  readonly recipients: readonly string[];
  readonly mail: ParsedMail;
  readonly isEncrypted: boolean;
  /** The name in EHLO. */
  readonly clientName: string;
}

export interface MailServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** Mechanisms that were used, in order. */
  readonly logins: string[];
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
  stop(): Promise<void>;
}

export interface MailServerOptions {
  /** `implicit`: TLS from the first byte; `starttls`: offered; `none`. */
  readonly tls: "implicit" | "starttls" | "none";
  /** Empty: no login is wanted. */
  readonly mechanisms: readonly string[];
}

export const MAIL_USER = "lab";
export const MAIL_PASSWORD = "p@ss:w/ö rd";

/** A real mail server (the npm package `smtp-server`) with one user and one refused recipient, `nobody@…`. */
export async function startMailServer({ tls, mechanisms }: MailServerOptions): Promise<MailServer> {
  const folder = temporaryFolder();
  const certificates = makeCertificates(folder);
  const mails: ReceivedMail[] = [];
  const logins: string[] = [];
  const server = new SMTPServer({
    secure: tls === "implicit",
    disabledCommands: tls === "none" ? ["STARTTLS"] : [],
    key: readFileSync(certificates.keyFile),
    cert: readFileSync(certificates.certificateFile),
    authMethods: [...mechanisms],
    authOptional: mechanisms.length === 0,
    allowInsecureAuth: true,
    onAuth(auth, _session, callback) {
      logins.push(auth.method);
      if (isRight(auth)) callback(null, { user: MAIL_USER });
      else callback(new Error("Invalid username or password"));
    },
    onRcptTo({ address }, _session, callback) {
      callback(address.startsWith("nobody@") ? new Error("no such user") : null);
    },
    onData(stream, session, callback) {
      simpleParser(stream, { skipTextToHtml: true }).then((mail) => {
        mails.push({
          from: session.envelope.mailFrom === false ? "" : session.envelope.mailFrom.address,
          recipients: session.envelope.rcptTo.map(({ address }) => address),
          mail,
          isEncrypted: session.secure,
          clientName: session.hostNameAppearsAs ?? "",
        });
        callback(null);
      }, callback);
    },
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    logins,
    ca: certificates.ca,
    async stop() {
      await new Promise<void>((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isRight(auth: SMTPServerAuthentication): boolean {
  if (auth.username !== MAIL_USER) return false;
  if (auth.method === "XOAUTH2") return auth.accessToken === MAIL_PASSWORD;
  if (auth.method === "CRAM-MD5") return auth.validatePassword(MAIL_PASSWORD);
  return auth.password === MAIL_PASSWORD;
}
