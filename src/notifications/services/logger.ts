import { protocolService } from "../service.ts";
import { titleOf } from "../requests.ts";

const LONGEST_TEXT = 20_000;

/** Writes the message into Lifeboat's own log. */
export const logger = protocolService<undefined>({
  name: "logger",
  schemes: ["logger"],
  parse: () => undefined,
  async deliver(_config, message, { log, delivered }) {
    const title = titleOf(message);
    const lines = [title, ...message.body.slice(0, LONGEST_TEXT).split(/\r?\n/)];
    for (const line of lines.filter((text) => text.trim() !== "")) log?.info(`notification: ${line}`);
    delivered("all");
  },
});
