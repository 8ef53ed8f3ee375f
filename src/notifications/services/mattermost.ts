import { httpService } from "../service.ts";
import { nonEmpty, postJson, titleOf } from "../requests.ts";
import { cutText, titled } from "../cut.ts";
import { pathParts, requireHost } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { flag, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = { icon: text("", "icon_emoji", "icon_url"), title: text(), disabletls: flag(false) };

const TEXT_CHARACTERS = 4000;

interface Config {
  readonly endpoint: string;
  readonly token: string;
  readonly username: string;
  readonly channel: string;
  readonly props: PropValues<typeof PROPS>;
}

export const mattermost = httpService<Config>({
  name: "mattermost",
  schemes: ["mattermost"],
  parse(url) {
    const props = readProps(url, PROPS);
    const [token = "", channel = ""] = pathParts(url.path);
    if (token === "") reject("has no token: write mattermost://host/TOKEN");
    const endpoint = `${props.disabletls ? "http" : "https"}://${requireHost(url)}/hooks/${encodePart(token)}`;
    return { endpoint, token, username: url.user ?? "", channel, props };
  },
  secrets: ({ token }) => [token],
  requests({ endpoint, username, channel, props }, message) {
    const content = cutText(titled(titleOf(message, props.title), message.body), TEXT_CHARACTERS);
    return [postJson(endpoint, { text: content, ...nonEmpty({ username, channel, ...iconOf(props.icon) }) })];
  },
});

/** An address is a picture, anything else the name of an emoji. */
function iconOf(icon: string): Record<string, string> {
  return /^https?:\/\//i.test(icon) ? { icon_url: icon } : { icon_emoji: icon };
}
