import { type HttpRequest, httpService } from "../service.ts";
import { postJson, refusesWithoutBody, titleOf } from "../requests.ts";
import { cutText } from "../cut.ts";
import { pathParts } from "../url/go-url.ts";
import { readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

const PROPS = { title: text("Shoutrrr notification") };

const TOKEN_LENGTH = 34;
const BODY_CHARACTERS = 16_000;

interface Config {
  readonly token: string;
  /** An empty one: all devices. */
  readonly targets: readonly string[];
  readonly title: string;
}

export const pushbullet = httpService<Config>({
  name: "pushbullet",
  schemes: ["pushbullet"],
  parse(url) {
    const { title } = readProps(url, PROPS);
    const token = url.host;
    if (token.length !== TOKEN_LENGTH) reject(`has no access token of ${TOKEN_LENGTH} characters as its host`);
    const named = [...pathParts(url.path), ...(url.fragment === "" ? [] : [`#${url.fragment}`])].filter(
      (target) => target !== "",
    );
    return { token, targets: named.length === 0 ? [""] : named, title };
  },
  secrets: ({ token }) => [token],
  requests: (config, message) => config.targets.map((target, index) => requestOf(config, target, index, message)),
  refusal: refusesWithoutBody,
});

function requestOf(config: Config, target: string, index: number, message: NotificationMessage): HttpRequest {
  const isEmail = /@.*\../.test(target);
  const isChannel = target.startsWith("#");
  const body = {
    type: "note",
    title: titleOf(message, config.title),
    body: cutText(message.body, BODY_CHARACTERS),
    email: isEmail ? target : "",
    channel_tag: !isEmail && isChannel ? target.slice(1) : "",
    device_iden: isEmail || isChannel ? "" : target,
  };
  const request = postJson("https://api.pushbullet.com/v2/pushes", body, { "Access-Token": config.token });
  return config.targets.length === 1 ? request : { ...request, target: `target ${index + 1}` };
}
