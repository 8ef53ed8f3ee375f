import { nonEmpty } from "../requests.ts";

const SUMMARY_BYTES = 21;

/** The card of the retired connectors: one section for each line. */
export function messageCard(title: string, body: string, color: string): object {
  const lines = body.split("\n");
  return {
    "@type": "MessageCard",
    "@context": "http://schema.org/extensions",
    markdown: true,
    ...nonEmpty({ title, summary: title === "" ? summaryOf(lines[0] ?? "") : title }),
    sections: lines.map((line) => ({ ...nonEmpty({ text: line }), startGroup: false })),
    ...nonEmpty({ themeColor: color }),
  };
}

/** The first bytes of the first line, as the senders that users come from cut it, but never within a character. */
function summaryOf(line: string): string {
  let bytes = 0;
  let summary = "";
  for (const character of line) {
    bytes += Buffer.byteLength(character);
    if (bytes > SUMMARY_BYTES) break;
    summary += character;
  }
  return summary;
}

const COLOURS: Readonly<Record<string, string>> = {
  red: "attention",
  attention: "attention",
  danger: "attention",
  orange: "warning",
  yellow: "warning",
  warning: "warning",
  warn: "warning",
  green: "good",
  good: "good",
  success: "good",
  blue: "accent",
  accent: "accent",
  dark: "dark",
  light: "light",
};

/** What workflows take: a message with one Adaptive Card, a block for each line that is not blank. */
export function adaptiveCard(title: string, body: string, color: string): object {
  const colour = Object.hasOwn(COLOURS, color.toLowerCase()) ? COLOURS[color.toLowerCase()] : "default";
  const heading = { type: "TextBlock", text: title, color: colour, weight: "Bolder", size: "Medium" };
  const blocks = body
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => ({ type: "TextBlock", text: line, wrap: true }));
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.2",
    body: [...(title === "" ? [] : [heading]), ...blocks],
  };
  const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content };
  return { type: "message", attachments: [attachment] };
}
