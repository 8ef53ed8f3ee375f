import { type HttpRequest, httpService } from "../service.ts";
import { nonEmpty, postJson, titleOf, wantsJson } from "../requests.ts";
import { cutText } from "../cut.ts";
import type { GoUrl } from "../url/go-url.ts";
import { type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

const PROPS = {
  botname: text("", "username"),
  icon: text("", "icon_emoji", "icon_url"),
  color: text(),
  title: text(),
  thread_ts: text(),
};

const TOKEN = /^(?:(xox.|hook)[-:]|:)?([A-Z0-9]{9,})([-/,])([A-Z0-9]{9,})([-/,])([A-Za-z0-9]{24,})$/;

const TEXT_CHARACTERS = 35_000;
const TITLE_CHARACTERS = 3000;
const ATTACHMENTS = 100;

interface Config {
  /** `hook` for an incoming webhook, else the kind of the API token. */
  readonly type: string;
  readonly token: readonly [string, string, string];
  /** `webhook`: the webhook's own. */
  readonly channel: string;
  readonly props: PropValues<typeof PROPS>;
}

export const slack = httpService<Config>({
  name: "slack",
  schemes: ["slack"],
  parse(url) {
    const props = readProps(url, PROPS);
    const isLegacy = url.path.length > 1;
    const { type, token } = readToken(isLegacy ? `${url.host}${url.path.replace(/\/$/, "")}` : userInfo(url));
    const channel = isLegacy || (type === "hook" && url.host === "") ? "webhook" : url.host;
    if (channel === "") reject("has no channel: write xoxb:A-B-C@CHANNEL after slack://");
    const botname = isLegacy && props.botname === "" ? (url.user ?? "") : props.botname;
    return { type, token, channel, props: { ...props, botname } };
  },
  secrets: ({ token }) => [...token, token.join("-"), token.join("/")],
  requests: (config, message) => [requestOf(config, message)],
  refusal(answer, { type }) {
    if (type !== "hook") return wantsJson("ok", true, "error")(answer);
    const said = answer.text.trim();
    return said === "ok" || said === "" ? undefined : "Slack did not take it";
  },
});

function userInfo({ user = "", password }: GoUrl): string {
  return password === undefined ? user : `${user}:${password}`;
}

function readToken(given: string): Pick<Config, "type" | "token"> {
  const [whole, type = "hook", first = "", separator, second = "", separator2, third = ""] = TOKEN.exec(given) ?? [];
  if (whole === undefined || separator !== separator2)
    reject("has no Slack token: write hook:A-B-C@webhook or xoxb:A-B-C@CHANNEL after slack://");
  return { type, token: [first, second, third] };
}

function requestOf({ type, token, channel, props }: Config, message: NotificationMessage): HttpRequest {
  const title = cutText(titleOf(message, props.title), TITLE_CHARACTERS);
  const body = {
    text: title,
    ...nonEmpty({ username: props.botname }),
    ...attachmentsOf(cutText(message.body, TEXT_CHARACTERS - title.length), props.color),
    ...nonEmpty({
      thread_ts: props.thread_ts,
      channel: channel === "webhook" ? "" : channel,
      ...iconOf(props.icon),
    }),
  };
  return type === "hook"
    ? postJson(`https://hooks.slack.com/services/${token.join("/")}`, body)
    : postJson("https://slack.com/api/chat.postMessage", body, { Authorization: `Bearer ${type}-${token.join("-")}` });
}

/** One for each line; what exceeds a hundred goes into the last, an empty last one goes. */
function attachmentsOf(body: string, color: string): object {
  const lines = body.split("\n");
  const texts = lines.slice(0, ATTACHMENTS);
  if (lines.length > ATTACHMENTS) texts[ATTACHMENTS - 1] = lines.slice(ATTACHMENTS - 1).join("\n");
  if (texts.at(-1) === "") texts.pop();
  if (texts.length === 0) return {};
  return { attachments: texts.map((line) => ({ text: line, ...nonEmpty({ color }) })) };
}

function iconOf(icon: string): Record<string, string> {
  return /https?:\/\//.test(icon) ? { icon_url: icon } : { icon_emoji: icon };
}
