import { type HttpRequest, httpService } from "../service.ts";
import { basicAuth, nonEmpty, onOneLine, postForm, titleOf } from "../requests.ts";
import { cutText, inBytes, titled } from "../cut.ts";
import { requireHost } from "../url/go-url.ts";
import { choice, flag, list, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

const PROPS = {
  stream: text(),
  topic: text(),
  title: text(),
  type: choice(["channel", "direct"], "channel", { stream: "channel", private: "direct" }),
  to: list(),
  read_by_sender: flag(false),
};

const TOPIC_CHARACTERS = 60;
const CONTENT_BYTES = 10_000;

interface Config {
  readonly endpoint: string;
  readonly mail: string;
  readonly key: string;
  readonly props: PropValues<typeof PROPS>;
}

export const zulip = httpService<Config>({
  name: "zulip",
  schemes: ["zulip"],
  parse(url) {
    const props = readProps(url, PROPS, { ignoresUnknown: true });
    const mail = url.user ?? "";
    const key = url.password ?? "";
    if (mail === "") reject("has no bot mail address: write BOTMAIL:KEY@host/?stream=… after zulip://");
    if (key === "") reject("has no API key: write BOTMAIL:KEY@host/?stream=… after zulip://");
    const host = requireHost(url);
    const isDirect = props.type === "direct";
    if (isDirect && props.to.length === 0) reject("to must name the recipients of a direct message");
    if (!isDirect && channelOf(props) === "") reject("has no stream: add ?stream=NAME");
    return { endpoint: `https://${host}/api/v1/messages`, mail, key, props };
  },
  requests: (config, message) => [requestOf(config, message)],
});

function channelOf({ stream, to }: Config["props"]): string {
  return stream === "" ? (to[0] ?? "") : stream;
}

function requestOf({ endpoint, mail, key, props }: Config, message: NotificationMessage): HttpRequest {
  const title = onOneLine(titleOf(message, props.title));
  const isDirect = props.type === "direct";
  // The title becomes the topic where the URL names none.
  const isTopic = !isDirect && props.topic === "";
  const topic = isDirect ? "" : cutText(isTopic ? title : props.topic, TOPIC_CHARACTERS);
  const form = {
    // `stream` is understood by every version; `channel` only by newer ones.
    type: isDirect ? "direct" : "stream",
    to: isDirect ? JSON.stringify(props.to) : channelOf(props),
    ...nonEmpty({ topic, read_by_sender: props.read_by_sender ? "true" : "" }),
    content: cutText(isTopic ? message.body : titled(title, message.body, "\n\n"), CONTENT_BYTES, inBytes),
  };
  return postForm(endpoint, Object.entries(form), basicAuth(mail, key));
}
