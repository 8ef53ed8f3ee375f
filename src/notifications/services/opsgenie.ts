import { httpService } from "../service.ts";
import { nonEmpty, postJson, titleOf } from "../requests.ts";
import { charactersOf, cutText } from "../cut.ts";
import { requireHost } from "../url/go-url.ts";
import { list, pairs, parsed, type PropValues, readProps, splitList, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

type Entity = Readonly<Record<string, string>>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const entities = (): ReturnType<typeof parsed<readonly Entity[]>> =>
  parsed<readonly Entity[]>([], (given) => splitList(given).map(readEntity));

const PROPS = {
  alias: text(),
  description: text(),
  responders: entities(),
  visibleto: entities(),
  actions: list(),
  tags: list(),
  details: pairs(),
  entity: text(),
  source: text(),
  priority: text(),
  note: text(),
  user: text(),
  title: text(),
};

const MESSAGE_CHARACTERS = 130;
const DESCRIPTION_CHARACTERS = 15_000;

interface Config {
  readonly endpoint: string;
  readonly apiKey: string;
  readonly props: PropValues<typeof PROPS>;
}

export const opsgenie = httpService<Config>({
  name: "opsgenie",
  schemes: ["opsgenie"],
  parse(url) {
    const props = readProps(url, PROPS);
    const apiKey = url.path.replace(/^\//, "");
    if (apiKey === "") reject("has no API key: write opsgenie://api.opsgenie.com/KEY");
    requireHost(url);
    const hostname = url.hostname.includes(":") ? `[${url.hostname}]` : url.hostname;
    return { endpoint: `https://${hostname}:${url.port ?? 443}/v2/alerts`, apiKey, props };
  },
  secrets: ({ apiKey }) => [apiKey],
  requests: ({ endpoint, apiKey, props }, message) => [
    postJson(endpoint, alertOf(props, message), { Authorization: `GenieKey ${apiKey}` }),
  ],
});

function alertOf(props: Config["props"], message: NotificationMessage): object {
  const { body } = message;
  const title = titleOf(message, props.title);
  const isLong = charactersOf(body).length > MESSAGE_CHARACTERS;
  const ownDescription = title !== "" || isLong ? body : "";
  const description = [ownDescription, props.description].filter((part) => part !== "").join("\n");
  const summary = title === "" ? (isLong ? charactersOf(body).slice(0, MESSAGE_CHARACTERS).join("") : body) : title;
  const { alias, entity, source, priority, note, user } = props;
  const lists = {
    responders: props.responders,
    visibleTo: props.visibleto,
    actions: props.actions,
    tags: props.tags,
  };
  return {
    message: cutText(summary, MESSAGE_CHARACTERS),
    ...nonEmpty({ alias, description: cutText(description, DESCRIPTION_CHARACTERS) }),
    ...Object.fromEntries(Object.entries(lists).filter(([, elements]) => elements.length > 0)),
    ...(Object.keys(props.details).length === 0 ? {} : { details: props.details }),
    ...nonEmpty({ entity, source, priority, user, note }),
  };
}

/** `team:NOC`, `user:name@x.test`, or any type with a UUID. */
function readEntity(given: string): Entity {
  const [type = "", ident = "", ...more] = given.split(":");
  if (type === "" || ident === "" || more.length > 0) reject("must be entries such as team:NOC or user:name");
  if (UUID.test(ident)) return { type, id: ident };
  if (type === "team") return { type, name: ident };
  if (type === "user") return { type, username: ident };
  return reject("must name a team or a user, or hold the UUID of what else it names");
}
