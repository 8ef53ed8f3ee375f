import { httpService } from "../service.ts";
import { postJson, titleOf } from "../requests.ts";
import { cutText, titled } from "../cut.ts";
import { requireHost } from "../url/go-url.ts";
import { encodeForm } from "../url/percent.ts";
import { reject } from "../url/problem.ts";

const TEXT_CHARACTERS = 4000;

interface Config {
  readonly endpoint: string;
  readonly secrets: readonly string[];
}

/** Google Chat; `hangouts` is its old name. The URL is the webhook's own with another scheme. */
export const googlechat = httpService<Config>({
  name: "googlechat",
  schemes: ["googlechat", "hangouts"],
  parse(url) {
    const value = (name: string): string => {
      const [, found = ""] = url.query.find(([key]) => key === name) ?? [];
      return found === "" ? reject(`has no ${name} in its query`) : found;
    };
    const [key, token] = [value("key"), value("token")];
    const query = encodeForm([
      ["key", key],
      ["token", token],
    ]);
    return { endpoint: `https://${requireHost(url)}${url.rawPath}?${query}`, secrets: [key, token] };
  },
  secrets: ({ secrets }) => secrets,
  requests: ({ endpoint }, message) => [
    postJson(endpoint, { text: cutText(titled(titleOf(message), message.body), TEXT_CHARACTERS) }),
  ],
});
