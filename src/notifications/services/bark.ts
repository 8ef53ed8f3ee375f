import { httpService } from "../service.ts";
import { jsonObject, nonEmpty, postJson, titleOf } from "../requests.ts";
import { cutText, inJsonBytes } from "../cut.ts";
import { requireHost } from "../url/go-url.ts";
import { integer, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = {
  title: text(),
  scheme: text("https"),
  sound: text(),
  badge: integer(0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  icon: text(),
  group: text(),
  url: text(),
  category: text(),
  copy: text(),
};

/** A push to Apple's devices has 4096 bytes for everything. */
const BODY_BYTES = 2800;
const TITLE_BYTES = 500;

interface Config {
  readonly endpoint: string;
  readonly deviceKey: string;
  readonly props: PropValues<typeof PROPS>;
}

export const bark = httpService<Config>({
  name: "bark",
  schemes: ["bark"],
  parse(url) {
    const props = readProps(url, PROPS);
    if (!/^https?$/i.test(props.scheme)) reject("scheme must be http or https");
    const host = requireHost(url);
    const deviceKey = (url.password ?? "") === "" ? (url.user ?? "") : (url.password ?? "");
    if (deviceKey === "") reject("has no device key: write :KEY@host after bark://");
    const path = url.rawPath.replace(/^\/+/, "/").replace(/\/$/, "");
    const endpoint = `${props.scheme.toLowerCase()}://${host}${path}/push`;
    return { endpoint, deviceKey, props };
  },
  secrets: ({ deviceKey }) => [deviceKey],
  requests({ endpoint, deviceKey, props }, message) {
    const { badge, sound, icon, group, url, category, copy } = props;
    const body = {
      body: cutText(message.body, BODY_BYTES, inJsonBytes),
      device_key: deviceKey,
      title: cutText(titleOf(message, props.title), TITLE_BYTES, inJsonBytes),
      badge,
      ...nonEmpty({ sound, icon, group, url, category, copy }),
    };
    return [postJson(endpoint, body)];
  },
  refusal(answer) {
    const reply = jsonObject(answer);
    if (reply === undefined) return "the answer is no JSON object, so the message may not have arrived";
    if (reply["code"] === 200) return undefined;
    return typeof reply["message"] === "string" ? reply["message"] : "the server reports a failure";
  },
});
