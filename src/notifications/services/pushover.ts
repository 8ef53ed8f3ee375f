import { httpService } from "../service.ts";
import { nonEmpty, postForm, titleOf, wantsJson } from "../requests.ts";
import { cutText } from "../cut.ts";
import { integer, list, parsed, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import { encryptText } from "./pushover-encryption.ts";

const PROPS = {
  devices: list(),
  priority: integer(0, -128, 127),
  title: text(),
  encryptionkey: parsed(
    "",
    (given) => (/^[0-9a-f]{64}$/i.test(given) ? given : reject("must be 64 hexadecimal digits")),
    "key",
  ),
};

const MESSAGE_CHARACTERS = 1024;
const TITLE_CHARACTERS = 250;

interface Config {
  readonly user: string;
  readonly token: string;
  readonly props: PropValues<typeof PROPS>;
}

export const pushover = httpService<Config>({
  name: "pushover",
  schemes: ["pushover"],
  parse(url) {
    const props = readProps(url, PROPS);
    const user = url.hostname;
    const token = url.password ?? "";
    if (user === "") reject("has no user key: write :TOKEN@USERKEY/ after pushover://");
    if (token === "") reject("has no application token: write :TOKEN@USERKEY/ after pushover://");
    return { user, token, props };
  },
  secrets: ({ user }) => [user],
  requests({ user, token, props }, message) {
    const { priority, encryptionkey } = props;
    const seal = (given: string): string =>
      encryptionkey === "" || given === "" ? given : encryptText(given, Buffer.from(encryptionkey, "hex"));
    const form: Record<string, string> = {
      device: props.devices.join(","),
      message: seal(cutText(message.body, MESSAGE_CHARACTERS)),
      // Emergencies (2) need settings for repetition, which the URL can't hold.
      ...(priority >= -2 && priority <= 1 ? { priority: String(priority) } : {}),
      ...nonEmpty({ title: seal(cutText(titleOf(message, props.title), TITLE_CHARACTERS)) }),
      token,
      user,
      ...(encryptionkey === "" ? {} : { encrypted: "1" }),
    };
    return [postForm("https://api.pushover.net/1/messages.json", Object.entries(form))];
  },
  refusal(answer) {
    return answer.text.trimStart().startsWith("{") ? wantsJson("status", 1, "error")(answer) : undefined;
  },
});
