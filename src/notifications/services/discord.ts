import { httpService } from "../service.ts";
import { nonEmpty, postJson, titleOf } from "../requests.ts";
import { requireHostText } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { colour, flag, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import { charactersOf, cutText } from "../cut.ts";
import { UserError } from "../../lib/errors.ts";
import { byLines, byLength } from "./discord-split.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

const PROPS = {
  title: text(),
  username: text(),
  avatar: text("", "avatarurl"),
  color: colour(0x50_d9_ff),
  colorerror: colour(0xd6_05_10),
  colorwarn: colour(0xff_c4_41),
  colorinfo: colour(0x24_88_ff),
  colordebug: colour(0x7b_00_ab),
  splitlines: flag(true),
  json: flag(false),
  thread_id: text(),
};

const TITLE_CHARACTERS = 256;
/** Up to 20 requests, of which the service takes five in two seconds. */
const DEADLINE_MS = 45_000;

interface Config {
  readonly endpoint: string;
  readonly token: string;
  readonly props: PropValues<typeof PROPS>;
}

export const discord = httpService<Config>({
  name: "discord",
  schemes: ["discord"],
  parse(url) {
    const props = readProps(url, PROPS);
    const token = url.user ?? "";
    const webhookId = requireHostText(url);
    if (token === "") reject("has no token: write TOKEN@WEBHOOKID after discord://");
    if (!/^\/?(?:raw)?$/.test(url.path)) reject("has a path other than /raw");
    const thread = props.thread_id === "" ? "" : `?thread_id=${encodePart(props.thread_id)}`;
    return {
      endpoint: `https://discord.com/api/webhooks/${encodePart(webhookId)}/${encodePart(token)}${thread}`,
      token,
      props: { ...props, json: props.json || url.path === "/raw" },
    };
  },
  secrets: ({ token }) => [token],
  deadlineMs: () => DEADLINE_MS,
  *requests({ endpoint, props }, message) {
    if (props.json) {
      yield { method: "POST", url: endpoint, headers: { "Content-Type": "application/json" }, body: message.body };
      return;
    }
    const bodies = embedBodies(props, message);
    for (const [index, body] of bodies.entries()) {
      const request = postJson(endpoint, body);
      yield bodies.length === 1 ? request : { ...request, target: `part ${index + 1}` };
    }
  },
});

/** The bodies of all requests: embeds, the first of each with the title. */
function embedBodies(props: Config["props"], message: NotificationMessage): readonly object[] {
  const title = cutText(titleOf(message, props.title), TITLE_CHARACTERS);
  const split = props.splitlines ? byLines : byLength;
  const groups = split(message.body.toWellFormed(), charactersOf(title).length);
  // The API takes no empty message; a title alone is one.
  const parts = groups.length === 0 ? [[]] : groups;
  if (groups.length === 0 && title === "") throw new UserError("the message is empty, and Discord takes none such");
  return parts.map((texts) => {
    const color = props.color === 0 ? {} : { color: props.color };
    const embeds = (texts.length === 0 ? [undefined] : texts).map((description, index) => ({
      ...(index === 0 && title !== "" ? { title } : {}),
      ...(description === undefined ? {} : { description }),
      ...color,
    }));
    return { embeds, ...nonEmpty({ username: props.username, avatar_url: props.avatar }) };
  });
}
