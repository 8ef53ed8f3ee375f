import { type HttpRequest, httpService, type Outcome } from "../service.ts";
import { basicAuth, postJson, titleOf } from "../requests.ts";
import { cutText, inBytes, titled } from "../cut.ts";
import { pathParts, requireHost } from "../url/go-url.ts";
import { flag, list, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = {
  token: text("", "apikey"),
  title: text(),
  disabletls: flag(false),
  skiptlsverify: flag(false),
  attachments: list(),
  textmode: text(),
  // What stands in front of the query as well; here it counts instead.
  user: text(),
  password: text(),
  source: text(),
  recipients: list(",", "to"),
};

const PHONE = /^\+?[0-9\s()+-]+$/;
const GROUP = /^group\.[A-Za-z0-9_+/=-]+$/;
const USER_NAME = /^u:[^/]+\.[0-9]+$/;

/** Signal sends longer texts as attachments. */
const MESSAGE_BYTES = 60_000;
const DEFAULT_PORT = 8080;

interface Config {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly source: string;
  readonly recipients: readonly string[];
  readonly props: PropValues<typeof PROPS>;
}

/** Signal through the HTTP server signal-cli-rest-api. */
export const signal = httpService<Config>({
  name: "signal",
  schemes: ["signal"],
  parse(url) {
    const props = readProps(url, PROPS);
    if (!/^(?:|normal|styled)$/.test(props.textmode)) reject("textmode must be normal or styled");
    requireHost(url);
    const [first = "", ...rest] = pathParts(url.path.replace(/\/$/, ""));
    const source = phoneNumber(props.source) || first;
    if (!PHONE.test(source)) reject("has no sender's number: write signal://host/+SENDER/+RECIPIENT");
    const recipients = props.recipients.length > 0 ? props.recipients.map(phoneNumber) : joinGroups(rest);
    if (recipients.length === 0) reject("has no recipient: write signal://host/+SENDER/+RECIPIENT");
    if (!recipients.every((one) => PHONE.test(one) || GROUP.test(one) || USER_NAME.test(one)))
      reject("has a recipient that is neither a number nor group.ID nor u:NAME.00");
    const host = url.hostname.includes(":") ? `[${url.hostname}]` : url.hostname;
    const user = props.user || (url.user ?? "");
    const login = user === "" ? {} : basicAuth(user, props.password || (url.password ?? ""));
    const headers = props.token === "" ? login : { Authorization: `Bearer ${props.token}` };
    const endpoint = `${props.disabletls ? "http" : "https"}://${host}:${url.port ?? DEFAULT_PORT}/v2/send`;
    return { endpoint, headers, source, recipients, props };
  },
  secrets: ({ props, source, recipients }) => [props.token, props.password, source, ...recipients],
  *requests(config, message): Generator<HttpRequest, void, Outcome> {
    const { endpoint, headers, source, recipients, props } = config;
    const request = (to: readonly string[]): HttpRequest => ({
      ...postJson(
        endpoint,
        {
          message: cutText(titled(titleOf(message, props.title), message.body), MESSAGE_BYTES, inBytes),
          number: source,
          recipients: to,
          ...(props.attachments.length === 0 ? {} : { base64_attachments: props.attachments }),
          ...(props.textmode === "" ? {} : { text_mode: props.textmode }),
        },
        headers,
      ),
      acceptsAnyCertificate: props.skiptlsverify,
    });
    const kinds = byKind(recipients);
    if (kinds.length === 1) {
      yield request(recipients);
      return;
    }
    // Newer servers want a request for each kind of recipient; older ones take all in one, as it always was sent.
    const together = yield { ...request(recipients), hasSecondTry: ({ status }) => status === 400 };
    if (together.isOk || together.answer?.status !== 400) return;
    for (const [index, kind] of kinds.entries()) yield { ...request(kind), target: `recipients ${index + 1}` };
  },
});

/** An unescaped plus in a query has become a blank, and a blank around an element is gone. */
function phoneNumber(given: string): string {
  return given.replace(/^ ?(?=[0-9])/, "+");
}

/** A group's id may have slashes in it. */
function joinGroups(parts: readonly string[]): readonly string[] {
  const recipients: string[] = [];
  for (const part of parts) {
    const last = recipients.at(-1);
    if (last?.startsWith("group.") === true && !/^(?:\+|group\.|u:)/.test(part)) {
      recipients[recipients.length - 1] = `${last}/${part}`;
    } else if (part !== "") recipients.push(part);
  }
  return recipients;
}

/** Numbers together, user names together, each group alone. */
function byKind(recipients: readonly string[]): readonly (readonly string[])[] {
  const groups = recipients.filter((one) => GROUP.test(one)).map((one) => [one]);
  const names = recipients.filter((one) => USER_NAME.test(one));
  const numbers = recipients.filter((one) => !GROUP.test(one) && !USER_NAME.test(one));
  return [numbers, names, ...groups].filter((kind) => kind.length > 0);
}
