import MailComposer from "nodemailer/lib/mail-composer";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import XOAuth2 from "nodemailer/lib/xoauth2";
import type { NotificationMessage } from "../../contracts/notification.ts";
import { UserError } from "../../lib/errors.ts";
import { retry } from "../../lib/retry.ts";
import { cutText } from "../cut.ts";
import { onOneLine, titleOf } from "../requests.ts";
import { describeFailure } from "../send/describe-error.ts";
import type { DeliveryContext } from "../service.ts";
import type { SmtpConfig } from "./smtp.ts";

const CONNECT_MS = 10_000;
const GOODBYE_MS = 1_000;
const ATTEMPTS = 3;
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 5_000;
const SUBJECT_CHARACTERS = 250;

/** A refusal of the server or a failed connection. */
class MailFailure extends Error {
  readonly canRetry: boolean;
  /** The server's own words, so the connection still stands. */
  readonly isReply: boolean;

  constructor(problem: string, canRetry: boolean, isReply = false) {
    super(problem);
    this.canRetry = canRetry;
    this.isReply = isReply;
  }
}

/** Sends one mail to each recipient over one connection. What fails for one does not keep the others from theirs. */
export async function deliverMail(
  config: SmtpConfig,
  message: NotificationMessage,
  context: DeliveryContext,
): Promise<void> {
  const recipients = config.props.toaddresses.map((address, index) => ({ address, target: `recipient ${index + 1}` }));
  const open = new Set(recipients.filter(({ target }) => !context.skip.has(target)));
  if (open.size === 0) return;
  await retry(() => session(config, message, context, open), {
    attempts: ATTEMPTS,
    baseMs: RETRY_BASE_MS,
    maxMs: RETRY_MAX_MS,
    signal: context.signal,
    isTransient: (thrown) => thrown instanceof MailFailure && thrown.canRetry,
  }).catch((thrown: unknown) => {
    if (context.signal.aborted || !(thrown instanceof MailFailure)) throw thrown;
    context.failed({ problem: thrown.message, canRetry: thrown.canRetry });
  });
}

interface Recipient {
  readonly address: string;
  readonly target: string;
}

/** One connection; recipients that are done, for good or bad, leave `open`. */
async function session(
  config: SmtpConfig,
  message: NotificationMessage,
  context: DeliveryContext,
  open: Set<Recipient>,
): Promise<void> {
  const connection = connectionOf(config);
  const failed = new Promise<never>((_, reject) => {
    connection.on("error", (error: Error) => reject(toFailure(error)));
    connection.on("end", () => reject(new MailFailure("the server closed the connection", true)));
  });
  failed.catch(() => undefined);
  const onAbort = (): void => connection.close();
  context.signal.addEventListener("abort", onAbort, { once: true });
  const step = async (call: (done: (error?: Error | null) => void) => void): Promise<void> => {
    await Promise.race([
      failed,
      new Promise<void>((resolve, reject) => call((error) => (error ? reject(toFailure(error)) : resolve()))),
    ]);
  };
  try {
    await step((done) => connection.connect(done));
    await logIn(config, connection, step);
    if (await sendToEach(config, message, context, open, connection, step))
      noticePlainText(config, connection, context);
    await leave(connection);
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    connection.close();
  }
}

/** Says good-bye. All mails are out by then, so a server that does not answer is no failure. */
async function leave(connection: SMTPConnection): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, GOODBYE_MS);
    connection.once("end", () => {
      clearTimeout(timer);
      resolve();
    });
    connection.quit();
  });
}

type Step = (call: (done: (error?: Error | null) => void) => void) => Promise<void>;

/** Whether at least one mail went out. */
async function sendToEach(
  config: SmtpConfig,
  message: NotificationMessage,
  context: DeliveryContext,
  open: Set<Recipient>,
  connection: SMTPConnection,
  step: Step,
): Promise<boolean> {
  const isOnly = config.props.toaddresses.length === 1;
  let isAnyOut = false;
  for (const recipient of open) {
    const { address, target } = recipient;
    const mail = await compose(config, message, address);
    try {
      await step((done) => connection.send({ from: config.props.fromaddress, to: [address] }, mail, done));
    } catch (thrown) {
      if (!(thrown instanceof MailFailure) || !thrown.isReply) throw thrown;
      context.failed({
        problem: isOnly ? thrown.message : `${target}: ${thrown.message}`,
        canRetry: thrown.canRetry,
      });
      open.delete(recipient);
      await step((done) => connection.reset(done));
      continue;
    }
    context.delivered(target);
    open.delete(recipient);
    isAnyOut = true;
  }
  return isAnyOut;
}

function connectionOf({ hostname, port, isImplicitTls, clientName, props }: SmtpConfig): SMTPConnection {
  return new SMTPConnection({
    host: hostname,
    port,
    secure: isImplicitTls,
    ignoreTLS: !props.usestarttls && !props.requirestarttls,
    requireTLS: props.requirestarttls,
    name: clientName,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    tls: props.skiptlsverify ? { rejectUnauthorized: false } : {},
  });
}

function noticePlainText({ hostname, props }: SmtpConfig, connection: SMTPConnection, context: DeliveryContext): void {
  if (connection.secure || isLoopback(hostname) || !props.usestarttls) return;
  context.noticed(
    "the server offers no STARTTLS, so the mail went out unencrypted (requirestarttls=yes would refuse that)",
  );
}

function isLoopback(hostname: string): boolean {
  return ["localhost", "127.0.0.1", "::1"].includes(hostname);
}

async function logIn(config: SmtpConfig, connection: SMTPConnection, step: Step): Promise<void> {
  const { user, password, auth } = config;
  if (auth === "None") return;
  // All but these show the password to everyone on the way.
  const showsPassword = auth !== "CRAMMD5" && auth !== "OAuth2";
  if (showsPassword && !connection.secure && !isLoopback(config.hostname)) {
    await leave(connection);
    throw new UserError(
      "the connection is not encrypted, so the password was not sent; use a port with TLS, or auth=crammd5 or auth=none",
    );
  }
  const credentials = { user, pass: password };
  await step((done) =>
    connection.login(
      auth === "OAuth2"
        ? { method: "XOAUTH2", user, oauth2: new XOAuth2({ user, accessToken: password }) }
        : { ...(auth === "Unknown" ? {} : { method: MECHANISMS[auth] }), user, credentials },
      done,
    ),
  );
}

/** Without a choice in the URL the library takes the first that the server offers: Plain, then Login. */
const MECHANISMS = { Plain: "PLAIN", Login: "LOGIN", CRAMMD5: "CRAM-MD5" } as const;

/** Subject and names are encoded, line breaks can't begin another header, and nothing is read from files or URLs. */
async function compose({ props }: SmtpConfig, message: NotificationMessage, recipient: string): Promise<Buffer> {
  const subject = cutText(onOneLine(titleOf(message, props.subject)), SUBJECT_CHARACTERS);
  const body = message.body.toWellFormed();
  const composer = new MailComposer({
    from: { name: onOneLine(props.fromname), address: props.fromaddress },
    to: { name: "", address: recipient },
    subject,
    text: body,
    // The user said that the text is HTML; both parts hold it.
    ...(props.usehtml ? { html: body } : {}),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

/** The server's words where it said something; a reply of 4xx may be another one later. */
function toFailure(error: Error): MailFailure {
  if (error instanceof MailFailure) return error;
  const { response, responseCode, originalCode } = error as Error & {
    response?: string;
    responseCode?: number;
    originalCode?: string;
  };
  if (response !== undefined && responseCode !== undefined) {
    return new MailFailure(onOneLine(response), responseCode < 500, true);
  }
  // The library's own codes are rough; the system's says what happened.
  const { problem, canRetry } = describeFailure(
    originalCode === undefined ? error : Object.assign(new Error(error.message), { code: originalCode }),
  );
  return new MailFailure(problem, canRetry);
}
