import { hostname as machineName } from "node:os";
import { parseDuration } from "../../golang/duration.ts";
import { protocolService } from "../service.ts";
import type { GoUrl } from "../url/go-url.ts";
import { requireHost } from "../url/go-url.ts";
import { choice, flag, parsed, type PropValues, readProps, splitList, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = {
  fromaddress: parsed("", (given) => mailAddress(given), "from"),
  fromname: text(),
  toaddresses: parsed<readonly string[]>([], (given) => splitList(given).map(mailAddress), "to"),
  subject: text("Shoutrrr Notification", "title"),
  auth: choice(["None", "Plain", "CRAMMD5", "Unknown", "OAuth2", "Login"], "Unknown"),
  encryption: choice(["None", "ExplicitTLS", "ImplicitTLS", "Auto"], "Auto"),
  usestarttls: flag(true, "starttls"),
  requirestarttls: flag(false),
  skiptlsverify: flag(false),
  usehtml: flag(false),
  clienthost: text("localhost"),
  timeout: parsed<number | undefined>(undefined, readTimeout),
};

const DEFAULT_PORT = 25;
const IMPLICIT_TLS_PORT = 465;
const DEADLINE_MS = 40_000;

export interface SmtpConfig {
  readonly hostname: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly isImplicitTls: boolean;
  readonly user: string;
  readonly password: string;
  readonly auth: "None" | "Plain" | "CRAMMD5" | "Unknown" | "OAuth2" | "Login";
  readonly clientName: string;
  readonly props: PropValues<typeof PROPS>;
}

/** Mail. The library is loaded when the first one is sent. */
export const smtp = protocolService<SmtpConfig>({
  name: "smtp",
  schemes: ["smtp"],
  parse: parseSmtp,
  warnings: ({ auth, props }) =>
    auth === "None" && props.auth !== "None" && props.auth !== "Unknown"
      ? [`auth=${props.auth} without a user name means no login`]
      : [],
  deadlineMs: ({ props }) => props.timeout ?? DEADLINE_MS,
  async deliver(config, message, context) {
    const { deliverMail } = await import("./smtp-delivery.ts");
    await deliverMail(config, message, context);
  },
});

function parseSmtp(url: GoUrl): SmtpConfig {
  const props = readProps(url, PROPS);
  requireHost(url);
  if (props.fromaddress === "") reject("has no sender: add fromaddress=ADDRESS");
  if (props.toaddresses.length === 0) reject("has no recipient: add toaddresses=ADDRESS");
  const user = url.user ?? "";
  if (user !== "" && (url.password ?? "") === "" && props.auth !== "None")
    reject("has a user name without a password: add it, or auth=None for no login");
  const port = url.port ?? DEFAULT_PORT;
  return {
    hostname: url.hostname,
    port,
    isImplicitTls: props.encryption === "ImplicitTLS" || (props.encryption === "Auto" && port === IMPLICIT_TLS_PORT),
    user,
    password: url.password ?? "",
    // Without a user there is nothing to log in with, whatever `auth` says.
    auth: user === "" ? "None" : props.auth,
    clientName: clientName(props.clienthost),
    props,
  };
}

function clientName(given: string): string {
  const name = given === "auto" ? machineName() : given;
  return /^[A-Za-z0-9._:[\]-]+$/.test(name) ? name : "localhost";
}

/** A blank was a `+` that nobody escaped. */
function mailAddress(given: string): string {
  const address = given.trim().replaceAll(" ", "+");
  // oxlint-disable-next-line no-control-regex -- a line break would end the command that holds the address
  return /^[^\u0000-\u0020<>,;"\u007f]+$/.test(address) ? address : reject("must be plain mail addresses");
}

/** A Go duration, as `timeout` always was. */
function readTimeout(given: string): number {
  let ms = 0;
  try {
    ms = Number(parseDuration(given)) / 1_000_000;
  } catch {
    // Said below, as for one that makes no sense.
  }
  return ms >= 1 && ms <= 600_000 ? ms : reject("must be a duration from 1ms to 10m, such as 20s");
}
