import { createHmac } from "node:crypto";
import { httpService } from "../service.ts";
import { jsonObject, postJson, titleOf } from "../requests.ts";
import { cutText, inBytes } from "../cut.ts";
import { encodePart } from "../url/percent.ts";
import { type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = { secret: text(), title: text(), link: text() };

const HOSTS = ["open.larksuite.com", "open.feishu.cn"];
const BODY_BYTES = 4096;
const TITLE_BYTES = 512;

interface Config {
  readonly endpoint: string;
  readonly token: string;
  readonly props: PropValues<typeof PROPS>;
}

/** Lark, and Feishu as it is called in China. */
export const lark = httpService<Config>({
  name: "lark",
  schemes: ["lark"],
  parse(url) {
    const props = readProps(url, PROPS);
    if (!HOSTS.includes(url.hostname) || url.port !== undefined) reject(`must have ${HOSTS.join(" or ")} as its host`);
    const token = url.path.replace(/^\//, "");
    if (token === "" || token.includes("/")) reject(`has no token: write lark://${HOSTS[0]}/TOKEN`);
    return { endpoint: `https://${url.hostname}/open-apis/bot/v2/hook/${encodePart(token)}`, token, props };
  },
  secrets: ({ token, props }) => [token, props.secret],
  requests({ endpoint, props }, message) {
    const title = cutText(titleOf(message, props.title), TITLE_BYTES, inBytes);
    const body = cutText(message.body, BODY_BYTES, inBytes);
    return [postJson(endpoint, { ...contentOf(title, body, props.link), ...signatureOf(props.secret) })];
  },
  refusal(answer) {
    const reply = jsonObject(answer);
    if (reply === undefined) return "the answer is no JSON object, so the message may not have arrived";
    // Older hooks answer with `StatusCode`.
    if ((reply["code"] ?? reply["StatusCode"]) === 0) return undefined;
    return typeof reply["msg"] === "string" ? reply["msg"] : "the service reports a failure";
  },
});

/** A title makes it a post, which then holds no link, as the senders that users come from have it. */
function contentOf(title: string, body: string, link: string): object {
  if (title === "" && link === "") return { msg_type: "text", content: { text: body } };
  const line: object[] = [{ tag: "text", text: body }];
  if (title === "") line.push({ tag: "a", text: link, href: link });
  return {
    msg_type: "post",
    content: { post: { en_us: { ...(title === "" ? {} : { title }), content: [line] } } },
  };
}

/** The secret is part of the key and the signed text is empty: so the service wants it. */
function signatureOf(secret: string): object {
  if (secret === "") return {};
  const timestamp = String(Math.floor(Date.now() / 1000));
  return { timestamp, sign: createHmac("sha256", `${timestamp}\n${secret}`).digest("base64") };
}
