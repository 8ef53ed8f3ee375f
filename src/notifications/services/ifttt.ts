import { httpService } from "../service.ts";
import { postJson, titleOf } from "../requests.ts";
import { cutText } from "../cut.ts";
import { requireHostText } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { integer, list, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = {
  events: list(),
  value1: text(),
  value2: text(),
  value3: text(),
  messagevalue: integer(2, 1, 3),
  titlevalue: integer(0, 0, 3),
  title: text(),
};

/** Nothing is documented; applets pass values on to services with limits of their own. */
const VALUE_CHARACTERS = 10_000;

interface Config {
  readonly key: string;
  readonly props: PropValues<typeof PROPS>;
}

export const ifttt = httpService<Config>({
  name: "ifttt",
  schemes: ["ifttt"],
  parse(url) {
    const props = readProps(url, PROPS);
    if (props.titlevalue === props.messagevalue) reject("titlevalue must differ from messagevalue");
    if (props.events.length === 0) reject("has no events: write ifttt://KEY/?events=NAME");
    return { key: requireHostText(url), props };
  },
  secrets: ({ key }) => [key],
  requests({ key, props }, message) {
    const values: Record<string, string> = { value1: props.value1, value2: props.value2, value3: props.value3 };
    const title = titleOf(message, props.title);
    if (props.titlevalue > 0) values[`value${props.titlevalue}`] = title;
    values[`value${props.messagevalue}`] = cutText(message.body, VALUE_CHARACTERS);
    return props.events.map((event, index) => ({
      ...postJson(`https://maker.ifttt.com/trigger/${encodePart(event)}/with/key/${encodePart(key)}`, values),
      ...(props.events.length === 1 ? {} : { target: `event ${index + 1}` }),
    }));
  },
});
