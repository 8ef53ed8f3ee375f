import { statSync } from "node:fs";
import type { AnyAuthMethod, AuthenticationType, ConnectConfig, ParsedKey } from "ssh2";
import { DestinationError, messageOf } from "../../lib/errors.ts";
import { loadIdentity, type ParseKey } from "./identity.ts";
import type { SshOptions } from "./options.ts";

/** What this side can show, in the order in which it is tried. */
export interface Credentials {
  readonly methods: readonly AnyAuthMethod[];
  /** For the message of a refusal: the settings that were used. */
  readonly settings: readonly string[];
}

/** @throws DestinationError `invalid` where a setting can't be used, or nothing is there to log in with */
export async function loadCredentials(options: SshOptions, parseKey: ParseKey): Promise<Credentials> {
  const { user: username, password, agentSocket } = options;
  const methods: AnyAuthMethod[] = [];
  const settings: string[] = [];
  const key = await identityOf(options, parseKey);
  if (key !== undefined) {
    methods.push({ type: "publickey", username, key });
    settings.push("SSH_IDENTITY_FILE");
  }
  if (agentSocket !== undefined && isSocket(agentSocket)) {
    methods.push({ type: "agent", username, agent: agentSocket });
    settings.push("SSH_AUTH_SOCK");
  }
  if (password !== undefined) {
    methods.push({ type: "password", username, password });
    methods.push({
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
    });
    settings.push("SSH_PASSWORD");
  }
  if (methods.length === 0) throw nothingToLogInWith(options);
  return { methods, settings };
}

/** What is wrong with the default file is passed over while something else is there to log in with. */
async function identityOf(options: SshOptions, parseKey: ParseKey): Promise<ParsedKey | undefined> {
  if (options.identityFile === undefined) return undefined;
  try {
    return await loadIdentity(options.identityFile, options.passphrase, parseKey);
  } catch (error) {
    if (options.isIdentityChosen === true || options.password === undefined) throw error;
    options.onWarning?.(`${messageOf(error)}; SSH_PASSWORD is used`);
    return undefined;
  }
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    // An agent that is gone is passed over, as a missing key file is.
    return false;
  }
}

function nothingToLogInWith(options: SshOptions): DestinationError {
  const missing = [
    options.identityFile === undefined ? [] : [`the key file ${options.identityFile} does not exist`],
    options.agentSocket === undefined ? [] : [`there is no agent at ${options.agentSocket}`],
    ["SSH_PASSWORD is not set"],
  ].flat();
  return new DestinationError("invalid", `there is nothing to log in to ${options.host} with: ${missing.join(", ")}`, {
    hint: "set SSH_IDENTITY_FILE to a private key that is mounted into the container, or SSH_PASSWORD",
  });
}

export interface AuthHandler {
  readonly handler: NonNullable<ConnectConfig["authHandler"]>;
  /** After the server refused everything. */
  refusal(options: SshOptions, credentials: Credentials): DestinationError;
}

/** Tries what the server accepts; also one thing after another where it wants several. */
export function createAuthHandler(options: SshOptions, credentials: Credentials): AuthHandler {
  const left = [...credentials.methods];
  let accepted: readonly AuthenticationType[] | undefined;
  let askedFirst = false;
  return {
    handler(authsLeft: readonly AuthenticationType[] | null, _partial, next) {
      accepted = authsLeft ?? accepted;
      if (!askedFirst) {
        askedFirst = true;
        // Costs nothing, and tells what the server accepts.
        next({ type: "none", username: options.user });
        return;
      }
      const at = left.findIndex((method) => accepted?.includes(method.type === "agent" ? "publickey" : method.type));
      const [method] = at < 0 ? [] : left.splice(at, 1);
      // The types know of no way to say "nothing left".
      next(method ?? (false as unknown as AuthenticationType));
    },
    refusal() {
      const used = credentials.settings.join(" and ");
      const wanted = accepted === undefined || accepted.length === 0 ? "" : ` (it accepts: ${accepted.join(", ")})`;
      return new DestinationError("denied", `${options.host} refused to log in ${options.user} with ${used}${wanted}`, {
        hint: hintFor(accepted ?? [], credentials),
      });
    },
  };
}

function hintFor(accepted: readonly AuthenticationType[], { settings }: Credentials): string {
  const hasKey = settings.some((setting) => setting !== "SSH_PASSWORD");
  if (!hasKey && !accepted.includes("password") && !accepted.includes("keyboard-interactive"))
    return "the server takes no passwords: set SSH_IDENTITY_FILE to a private key";
  if (hasKey && !settings.includes("SSH_PASSWORD") && !accepted.includes("publickey"))
    return "the server takes no keys for this user: set SSH_PASSWORD";
  return `check SSH_USER and ${settings.join(" and ")}${hasKey ? ", and that the public key is in the user's authorized_keys on the server" : ""}`;
}
