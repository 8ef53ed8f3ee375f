import type { NotificationMessage } from "../../contracts/notification.ts";
import { cutText, inCodeUnits, titled } from "../cut.ts";
import { titleOf } from "../requests.ts";

export const PARSE_MODES = ["None", "Markdown", "HTML", "MarkdownV2"] as const;
type ParseMode = (typeof PARSE_MODES)[number];

export interface TelegramText {
  readonly text: string;
  /** Absent: Telegram shows the text as it stands. */
  readonly parseMode?: Exclude<ParseMode, "None">;
}

/** In UTF-16 code units. Telegram counts after the markup is read; counting before is on the safe side. */
const TEXT_UNITS = 4096;
const TITLE_UNITS = 256;

/**
 * Title and text in the mode that the URL names. Without one a title makes it HTML, for the bold first line. A text of
 * the user's own markup that is too long is sent without markup: cut in the middle of it, Telegram would refuse it.
 */
export function telegramText(
  message: NotificationMessage,
  { parsemode, title: ofUrl }: { readonly parsemode: ParseMode; readonly title: string },
): TelegramText {
  const title = cutText(titleOf(message, ofUrl), TITLE_UNITS, inCodeUnits);
  if (parsemode === "None") return title === "" ? plainText(message, ofUrl) : escapedHtml(title, message.body);
  const text = `${heading(parsemode, title)}${message.body}`;
  return text.length > TEXT_UNITS ? plainText(message, ofUrl) : { text: text.toWellFormed(), parseMode: parsemode };
}

export function plainText(message: NotificationMessage, titleOfUrl: string): TelegramText {
  return { text: cutText(titled(titleOf(message, titleOfUrl), message.body), TEXT_UNITS, inCodeUnits) };
}

function heading(mode: Exclude<ParseMode, "None">, title: string): string {
  if (title === "") return "";
  if (mode === "HTML") return `<b>${escapeHtml(title)}</b>\n`;
  const special = mode === "Markdown" ? /[_*[`]/g : /[_*[\]()~`>#+\-=|{}.!\\]/g;
  return `${title.replaceAll(special, String.raw`\$&`)}\n`;
}

function escapedHtml(title: string, body: string): TelegramText {
  const first = `<b>${escapeHtml(title)}</b>\n`;
  const fitting = cutText(body, TEXT_UNITS - first.length, (character) => escapeHtml(character).length);
  return { text: first + escapeHtml(fitting), parseMode: "HTML" };
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
