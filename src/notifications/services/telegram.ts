import { type Answer, type HttpRequest, httpService, type Outcome } from "../service.ts";
import { jsonObject, postJson, wantsJson } from "../requests.ts";
import { choice, flag, list, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import { PARSE_MODES, plainText, type TelegramText, telegramText } from "./telegram-text.ts";
import type { NotificationMessage } from "../../contracts/notification.ts";

const PROPS = {
  chats: list(",", "channels"),
  preview: flag(true),
  notification: flag(true),
  parsemode: choice(PARSE_MODES, "None"),
  title: text(),
};

interface Config {
  readonly token: string;
  readonly props: PropValues<typeof PROPS>;
}

export const telegram = httpService<Config>({
  name: "telegram",
  schemes: ["telegram"],
  parse(url) {
    const props = readProps(url, PROPS);
    const token = `${url.user ?? ""}:${url.password ?? ""}`;
    if (!/^[0-9]+:[A-Za-z0-9_-]+$/.test(token))
      reject("has no bot token: write ID:SECRET@telegram?chats=… after telegram://");
    if (props.chats.length === 0) reject("has no chats: write ID:SECRET@telegram?chats=@name after telegram://");
    return { token, props };
  },
  secrets: ({ token }) => [token],
  *requests(config, message) {
    const { chats } = config.props;
    for (const [index, chat] of chats.entries()) {
      yield* toChat(config, chat, chats.length === 1 ? {} : { target: `chat ${index + 1}` }, message);
    }
  },
  refusal: wantsJson("ok", true, "description"),
  retryAfterMs(answer) {
    const seconds = parametersOf(answer)["retry_after"];
    return typeof seconds === "number" ? seconds * 1000 : undefined;
  },
});

/**
 * One chat, with two second tries: a group that became a supergroup has a new id, and a text whose markup Telegram can't
 * read is sent as it stands: better ugly than lost.
 */
function* toChat(
  { token, props }: Config,
  chat: string,
  target: Pick<HttpRequest, "target">,
  message: NotificationMessage,
): Generator<HttpRequest, void, Outcome> {
  const [chatId = "", thread = ""] = chat.split(/:(.*)/s);
  const request = (id: string, { text: content, parseMode }: TelegramText): HttpRequest => ({
    ...postJson(`https://api.telegram.org/bot${token}/sendMessage`, {
      text: content,
      chat_id: id,
      ...(/^[0-9]+$/.test(thread) ? { message_thread_id: Number(thread) } : {}),
      ...(parseMode === undefined ? {} : { parse_mode: parseMode }),
      disable_web_page_preview: !props.preview,
      disable_notification: !props.notification,
      reply_to_message_id: 0,
    }),
    ...target,
  });
  const marked = telegramText(message, props);
  const { answer, isOk } = yield {
    ...request(chatId, marked),
    hasSecondTry: (refused) => secondTry(refused) !== undefined,
  };
  const other = isOk || answer === undefined ? undefined : secondTry(answer);
  if (other === undefined) return;
  yield request(other.chatId ?? chatId, other.chatId === undefined ? plainText(message, props.title) : marked);
}

/** What would make a refused message arrive. */
function secondTry(answer: Answer): { readonly chatId?: string } | undefined {
  const moved = parametersOf(answer)["migrate_to_chat_id"];
  if (typeof moved === "number" || typeof moved === "string") return { chatId: String(moved) };
  return answer.status === 400 && /can't parse entities/i.test(answer.text) ? {} : undefined;
}

function parametersOf(answer: Answer): Readonly<Record<string, unknown>> {
  const parameters = jsonObject(answer)?.["parameters"];
  return typeof parameters === "object" && parameters !== null ? (parameters as Readonly<Record<string, unknown>>) : {};
}
