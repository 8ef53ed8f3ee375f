import { httpService } from "../service.ts";
import { jsonObject, postJson, titleOf } from "../requests.ts";
import { cutText, inBytes, titled } from "../cut.ts";
import { requireHostText } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { list, type PropValues, readProps, text } from "../url/props.ts";

const PROPS = { title: text(), mentioned_list: list(), mentioned_mobile_list: list() };

/** Of a text message; what is longer is refused. */
const CONTENT_BYTES = 2048;

interface Config {
  readonly key: string;
  readonly props: PropValues<typeof PROPS>;
}

/** WeCom (WeChat Work). */
export const wecom = httpService<Config>({
  name: "wecom",
  schemes: ["wecom"],
  parse: (url) => ({ key: requireHostText(url), props: readProps(url, PROPS) }),
  secrets: ({ key }) => [key],
  requests({ key, props }, message) {
    const { title, ...mentions } = props;
    const content = cutText(titled(titleOf(message, title), message.body), CONTENT_BYTES, inBytes);
    const named = Object.fromEntries(Object.entries(mentions).filter(([, people]) => people.length > 0));
    const url = `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${encodePart(key)}`;
    return [postJson(url, { msgtype: "text", text: { content, ...named } })];
  },
  refusal(answer) {
    const reply = jsonObject(answer);
    if (reply === undefined) return "the answer is no JSON object, so the message may not have arrived";
    if (reply["errcode"] === 0) return undefined;
    return typeof reply["errmsg"] === "string" ? reply["errmsg"] : "the service reports a failure";
  },
});
