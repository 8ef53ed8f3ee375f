import { httpService } from "../service.ts";
import { jsonObject, nonEmpty, titleOf } from "../requests.ts";
import { cutText } from "../cut.ts";
import { encodeForm } from "../url/percent.ts";
import { list, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = { devices: list(), title: text(), icon: text() };

/** All of a message is in the request's URL. */
const TEXT_CHARACTERS = 1000;
const TITLE_CHARACTERS = 250;

interface Config {
  readonly apiKey: string;
  readonly props: PropValues<typeof PROPS>;
}

export const join = httpService<Config>({
  name: "join",
  schemes: ["join"],
  parse(url) {
    const props = readProps(url, PROPS);
    if (props.devices.length === 0) reject("has no devices: write :KEY@join/?devices=ID after join://");
    const apiKey = url.password ?? "";
    if (apiKey === "") reject("has no API key: write :KEY@join/?devices=ID after join://");
    return { apiKey, props };
  },
  requests({ apiKey, props }, message) {
    const title = cutText(titleOf(message, props.title), TITLE_CHARACTERS);
    const query = encodeForm([
      ["apikey", apiKey],
      ["deviceIds", props.devices.join(",")],
      ...Object.entries(nonEmpty({ icon: props.icon })),
      ["text", cutText(message.body, TEXT_CHARACTERS)],
      ...Object.entries(nonEmpty({ title })),
    ]);
    const url = `https://joinjoaomgcd.appspot.com/_ah/api/messaging/v1/sendPush?${query}`;
    return [{ method: "POST", url, headers: { "Content-Type": "text/plain" } }];
  },
  refusal(answer) {
    const reply = jsonObject(answer);
    if (reply?.["success"] !== false) return undefined;
    return typeof reply["errorMessage"] === "string" ? reply["errorMessage"] : "the service reports a failure";
  },
});
