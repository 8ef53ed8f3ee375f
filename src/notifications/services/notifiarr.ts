import { httpService } from "../service.ts";
import { nonEmpty, postJson, titleOf } from "../requests.ts";
import { cutText } from "../cut.ts";
import { type GoUrl, requireHostText } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { parsed, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = {
  name: text("Shoutrrr"),
  channel: parsed("", (given) => (/^[0-9]{0,20}$/.test(given) ? given : reject("must be the number of a channel"))),
  thumbnail: text(),
  image: text(),
  color: text(),
  title: text(),
};

const DESCRIPTION_CHARACTERS = 4000;
const TITLE_CHARACTERS = 256;

interface Config {
  readonly key: string;
  readonly props: PropValues<typeof PROPS>;
}

export const notifiarr = httpService<Config>({
  name: "notifiarr",
  schemes: ["notifiarr"],
  parse: (url) => ({ key: requireHostText(url), props: propsOf(url) }),
  parseCustom(inner: GoUrl) {
    const [, key = ""] = /\/passthrough\/([^/]+)/.exec(inner.path) ?? [];
    if (key === "") reject("has no API key after /passthrough/ in its path");
    return { key, props: propsOf(inner) };
  },
  secrets: ({ key }) => [key],
  requests({ key, props }, message) {
    const title = cutText(titleOf(message, props.title), TITLE_CHARACTERS);
    const images = nonEmpty({ thumbnail: props.thumbnail, image: props.image });
    const body = {
      notification: { name: props.name },
      discord: {
        ...nonEmpty({ color: props.color }),
        ...(Object.keys(images).length === 0 ? {} : { images }),
        text: { ...nonEmpty({ title }), description: cutText(message.body, DESCRIPTION_CHARACTERS) },
        ...(props.channel === "" ? {} : { ids: { channel: exactNumber(props.channel) } }),
      },
    };
    const url = `https://notifiarr.com/api/v1/notification/passthrough/${encodePart(key)}`;
    return [postJson(url, body, { Accept: "application/json" })];
  },
});

function propsOf(url: GoUrl): Config["props"] {
  return readProps(url, PROPS, { ignoresUnknown: true });
}

/** Discord's numbers have more digits than JavaScript's can hold. */
function exactNumber(digits: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits.replace(/^0+(?=[0-9])/, ""));
}
