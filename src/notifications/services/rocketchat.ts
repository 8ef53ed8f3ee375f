import { httpService } from "../service.ts";
import { nonEmpty, postJson, titleOf } from "../requests.ts";
import { cutText, titled } from "../cut.ts";
import { type GoUrl, pathParts, requireHost } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { flag, readProps } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = { disabletls: flag(false) };

const TEXT_CHARACTERS = 1000;

interface Config {
  readonly endpoint: string;
  readonly username: string;
  readonly channel: string;
  readonly secrets: readonly string[];
}

export const rocketchat = httpService<Config>({
  name: "rocketchat",
  schemes: ["rocketchat"],
  parse(url) {
    const { disabletls } = readProps(url, PROPS, { ignoresUnknown: true });
    const [first = "", second = ""] = pathParts(url.path);
    if (first === "" || second === "") reject("has no two tokens: write rocketchat://host/TOKEN-A/TOKEN-B");
    const endpoint = `${disabletls ? "http" : "https"}://${requireHost(url)}/hooks/${encodePart(first)}/${encodePart(second)}`;
    return { endpoint, username: url.user ?? "", channel: channelOf(url), secrets: [first, second] };
  },
  secrets: ({ secrets }) => secrets,
  requests: ({ endpoint, username, channel }, message) => [
    postJson(endpoint, {
      text: cutText(titled(titleOf(message), message.body), TEXT_CHARACTERS),
      ...nonEmpty({ username, channel }),
    }),
  ],
});

/** The third part of the path or the fragment, with a `#` in front unless it is a person's `@name`. */
function channelOf({ path, fragment }: GoUrl): string {
  const part = pathParts(path)[2];
  const name = fragment === "" ? (part ?? "") : fragment;
  return part === undefined || name === "" || /^[@#]/.test(name) ? (part === undefined ? "" : name) : `#${name}`;
}
