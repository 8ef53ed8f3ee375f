import { type HttpRequest, httpService } from "../service.ts";
import { basicAuth, postForm, titleOf } from "../requests.ts";
import { cutText, titled } from "../cut.ts";
import { pathParts } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const PROPS = { title: text() };

const BODY_CHARACTERS = 1600;

interface Config {
  readonly sid: string;
  readonly token: string;
  /** A number, or the id of a messaging service. */
  readonly from: string;
  readonly recipients: readonly string[];
  readonly title: string;
}

export const twilio = httpService<Config>({
  name: "twilio",
  schemes: ["twilio"],
  parse(url) {
    const { title } = readProps(url, PROPS);
    const [sid, token, from] = [url.user ?? "", url.password ?? "", phoneNumber(url.host)];
    if (sid === "" || token === "") reject("has no account SID and token: write SID:TOKEN@FROM/TO after twilio://");
    if (from === "") reject("has no sender: write SID:TOKEN@FROM/TO after twilio://");
    const recipients = pathParts(url.path)
      .map((part) => phoneNumber(part.trim()))
      .filter((part) => part !== "");
    if (recipients.length === 0) reject("has no recipient: write SID:TOKEN@FROM/TO after twilio://");
    if (recipients.includes(from)) reject("has the sender among the recipients");
    return { sid, token, from, recipients, title };
  },
  secrets: ({ sid }) => [sid],
  requests({ sid, token, from, recipients, title }, message) {
    const body = cutText(titled(titleOf(message, title), message.body), BODY_CHARACTERS);
    const url = `https://api.twilio.com/2010-04-01/Accounts/${encodePart(sid)}/Messages.json`;
    return recipients.map((to, index): HttpRequest => ({
      ...postForm(
        url,
        [
          ["To", to],
          ["Body", body],
          [from.startsWith("MG") ? "MessagingServiceSid" : "From", from],
        ],
        basicAuth(sid, token),
      ),
      ...(recipients.length === 1 ? {} : { target: `recipient ${index + 1}` }),
    }));
  },
});

function phoneNumber(given: string): string {
  return given.startsWith("MG") ? given : given.replaceAll(/[ \-().]/g, "");
}
