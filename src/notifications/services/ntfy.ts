import { type HttpRequest, httpService } from "../service.ts";
import { basicAuth, nonEmpty, onOneLine, refusesWithoutBody, titleOf } from "../requests.ts";
import { cutText, inBytes } from "../cut.ts";
import { requireHost } from "../url/go-url.ts";
import { choice, flag, list, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

const PRIORITIES = ["Min", "Low", "Default", "High", "Max"] as const;

const PROPS = {
  title: text(),
  scheme: text("https"),
  priority: choice<(typeof PRIORITIES)[number] | "">(PRIORITIES, "Default", {
    1: "Min",
    2: "Low",
    3: "Default",
    4: "High",
    5: "Max",
    urgent: "Max",
    "": "",
  }),
  tags: list(),
  actions: list(";"),
  click: text(),
  attach: text(),
  filename: text(),
  email: text(),
  icon: text(),
  delay: text("", "at", "in"),
  cache: flag(true),
  firebase: flag(true),
  markdown: flag(false),
  disabletls: flag(false),
  disabletlsverification: flag(false),
};

/** What the server keeps as a message; a longer one becomes an attachment. */
const BODY_BYTES = 4096;
const TITLE_CHARACTERS = 200;

interface Config {
  readonly endpoint: string;
  readonly topic: string;
  readonly user: string;
  readonly password: string;
  readonly props: PropValues<typeof PROPS>;
}

export const ntfy = httpService<Config>({
  name: "ntfy",
  schemes: ["ntfy"],
  parse(url) {
    const props = readProps(url, PROPS);
    if (!/^https?$/i.test(props.scheme)) reject("scheme must be http or https");
    const host = requireHost(url);
    const topic = url.rawPath.replace(/^\/+/, "").replace(/\/+$/, "");
    if (topic === "") reject("has no topic: write ntfy://host/topic");
    const scheme = props.disabletls ? "http" : props.scheme.toLowerCase();
    return {
      endpoint: `${scheme}://${host}/${topic}`,
      topic,
      user: url.user ?? "",
      password: url.password ?? "",
      props,
    };
  },
  secrets: ({ topic }) => [topic],
  requests: (config, message) => [requestOf(config, message)],
  refusal: refusesWithoutBody,
});

function requestOf({ endpoint, user, password, props }: Config, message: NotificationMessage): HttpRequest {
  const headers = nonEmpty({
    Title: onOneLine(cutText(titleOf(message, props.title), TITLE_CHARACTERS)),
    Priority: props.priority,
    Tags: props.tags.join(","),
    Actions: props.actions.join(";"),
    Click: props.click,
    Attach: props.attach,
    Filename: props.filename,
    Email: props.email,
    "X-Icon": props.icon,
    Delay: props.delay,
    Cache: props.cache ? "" : "no",
    Firebase: props.firebase ? "" : "no",
  });
  return {
    method: "POST",
    url: endpoint,
    headers: {
      "Content-Type": props.markdown ? "text/markdown" : "text/plain; charset=utf-8",
      ...(user === "" && password === "" ? {} : basicAuth(user, password)),
      ...headers,
    },
    body: cutText(message.body, BODY_BYTES, inBytes),
    acceptsAnyCertificate: props.disabletlsverification,
  };
}
