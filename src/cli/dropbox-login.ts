import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { createCatalogue } from "../config/parts.ts";
import { readLayer } from "../config/layer.ts";
import {
  DROPBOX_APP_KEY,
  DROPBOX_APP_SECRET,
  DROPBOX_ENDPOINT,
  DROPBOX_OAUTH2_ENDPOINT,
  DROPBOX_REFRESH_TOKEN,
} from "../destinations/dropbox/settings.ts";
import { orAborted } from "../lib/abortable.ts";
import { UserError } from "../lib/errors.ts";
import type { Command, CommandContext } from "./command.ts";

const SETTINGS = [DROPBOX_APP_KEY, DROPBOX_APP_SECRET, DROPBOX_ENDPOINT, DROPBOX_OAUTH2_ENDPOINT] as const;

/** What Dropbox's codes and keys consist of; anything else is quoted in the printed lines. */
const PLAIN = /^[\w.~-]+$/;

export const dropboxLoginCommand: Command = {
  usage: "dropbox-login",
  summary: "get the refresh token that Dropbox needs, once",
  help: `Asks for the key and the secret of your app in Dropbox's App Console, unless ${DROPBOX_APP_KEY.key} and
${DROPBOX_APP_SECRET.key} are in the environment, prints the address on which you allow the app, and takes the code that
Dropbox shows there. Then it prints the three lines for the job's config file on standard output. Nothing is stored.

In a container: docker compose exec backup lifeboat dropbox-login`,
  options: {},
  positionals: { min: 0, max: 0 },
  async run(_args, context) {
    const { remark, print } = context.output;
    const known = fromEnvironment(context.environment);
    // Loads the HTTP client.
    const { authorisationUrl, exchangeCode } = await import("../destinations/dropbox/login.ts");
    const { endpointsOf } = await import("../destinations/dropbox/options.ts");
    const terminal = openTerminal(context);
    try {
      const appKey = known.get(DROPBOX_APP_KEY.key) ?? (await terminal.ask("App key: "));
      const appSecret = known.get(DROPBOX_APP_SECRET.key) ?? (await terminal.ask("App secret: ", "hidden"));
      const testEndpoint = known.get(DROPBOX_OAUTH2_ENDPOINT.key);
      remark(`Open this address, sign in, and allow the app:\n\n  ${authorisationUrl(appKey, testEndpoint)}\n`);
      const code = await terminal.ask("The code that Dropbox shows then: ");
      const tokenEndpoint = endpointsOf(known.get(DROPBOX_ENDPOINT.key), testEndpoint).token;
      const login = { appKey, appSecret, code, tokenEndpoint, signal: context.signal };
      const { refreshToken, missingScopes } = await exchangeCode(login);
      if (missingScopes.length > 0) {
        remark(
          `The app may not do everything yet: switch ${missingScopes.join(", ")} on (Permissions in the App Console) and run this again.`,
        );
      }
      remark("Add these lines to the job's config file:\n");
      print(
        [
          line(DROPBOX_REFRESH_TOKEN.key, refreshToken),
          line(DROPBOX_APP_KEY.key, appKey),
          line(DROPBOX_APP_SECRET.key, appSecret),
        ].join("\n"),
      );
      return 0;
    } finally {
      terminal.close();
    }
  },
};

function fromEnvironment(environment: CommandContext["environment"]): ReadonlyMap<string, string> {
  const pairs = new Map<string, { value: string }>();
  for (const [key, value] of Object.entries(environment)) if (value !== undefined) pairs.set(key, { value });
  const layer = readLayer(pairs, { ...createCatalogue(), settings: SETTINGS });
  const [problem] = layer.failed.values();
  if (problem !== undefined) throw new UserError(`${problem.key ?? "a setting"}: ${problem.message}`);
  const found = new Map<string, string>();
  for (const { key } of SETTINGS) {
    const text = layer.values.get(key)?.text ?? "";
    if (text !== "") found.set(key, text);
  }
  return found;
}

interface Terminal {
  /** `hidden`: what is typed is not shown. */
  ask(question: string, echo?: "hidden"): Promise<string>;
  close(): void;
}

/** Questions go to standard error, so that standard output holds the answer alone. */
function openTerminal({ output, signal }: CommandContext): Terminal {
  let isHidden = false;
  const echo = new Writable({
    write(chunk, _encoding, done) {
      if (!isHidden) process.stderr.write(chunk as Buffer);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output: echo, terminal: process.stdin.isTTY });
  // A terminal that is read key by key makes no signal of Ctrl-C.
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const answers = lines[Symbol.asyncIterator]();
  return {
    async ask(question, how) {
      lines.setPrompt(question);
      lines.prompt();
      isHidden = how === "hidden";
      try {
        const { value, done } = await orAborted(answers.next(), signal);
        if (done === true)
          throw new UserError("standard input ended before an answer came", {
            hint: "run it in a terminal: docker compose exec backup lifeboat dropbox-login",
          });
        const text = value.trim();
        if (text === "") throw new UserError("nothing was entered");
        return text;
      } finally {
        if (isHidden) output.remark("");
        isHidden = false;
      }
    },
    close: () => lines.close(),
  };
}

/** As it stands in an env file: single quotes keep everything but themselves. */
function line(key: string, value: string): string {
  return `${key}=${PLAIN.test(value) ? value : `'${value}'`}`;
}
