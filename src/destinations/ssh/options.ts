import type { Values } from "../../contracts/setting.ts";
import {
  SSH_AUTH_SOCK,
  SSH_CONCURRENCY,
  SSH_HOST_KEY_FINGERPRINT,
  SSH_HOST_NAME,
  SSH_IDENTITY_FILE,
  SSH_IDENTITY_PASSPHRASE,
  SSH_KNOWN_HOSTS,
  SSH_PASSWORD,
  SSH_PORT,
  SSH_REMOTE_PATH,
  SSH_USER,
} from "./settings.ts";

export interface SshOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly identityFile?: string;
  /** The user named the file, so what is wrong with it is an error and not passed over. */
  readonly isIdentityChosen?: boolean;
  readonly passphrase?: string;
  readonly agentSocket?: string;
  /** As the user wrote it; empty: the login's home folder. */
  readonly remotePath: string;
  readonly knownHostsFile?: string;
  /** `SHA256:…` */
  readonly fingerprint?: string;
  /** Where host keys are remembered; absent: nowhere. */
  readonly stateDir?: string;
  /** Write requests of 32 KiB on their way at once. */
  readonly concurrency: number;
  /** Shorter limits, for tests. */
  readonly limits?: Partial<SshLimits>;
  onWarning?(text: string): void;
}

export interface SshLimits {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly silenceMs: number;
}

export function sshOptionsOf(
  values: Values,
  context: { readonly stateDir?: string; onWarning?(text: string): void },
): SshOptions {
  const optional = <K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } =>
    value === undefined || value === "" ? {} : ({ [key]: value } as { readonly [P in K]?: T });
  return {
    // Where a port is put behind an IPv6 address, people write it in brackets.
    host: (values.get(SSH_HOST_NAME) ?? "").replace(/^\[(.*)\]$/, "$1"),
    port: values.get(SSH_PORT),
    user: values.get(SSH_USER) ?? "",
    ...optional("password", values.get(SSH_PASSWORD)),
    identityFile: values.get(SSH_IDENTITY_FILE),
    isIdentityChosen: values.isSet(SSH_IDENTITY_FILE),
    ...optional("passphrase", values.get(SSH_IDENTITY_PASSPHRASE)),
    ...optional("agentSocket", values.get(SSH_AUTH_SOCK)),
    remotePath: values.get(SSH_REMOTE_PATH) ?? "",
    ...optional("knownHostsFile", values.get(SSH_KNOWN_HOSTS)),
    ...optional("fingerprint", values.get(SSH_HOST_KEY_FINGERPRINT)),
    ...optional("stateDir", context.stateDir),
    concurrency: values.get(SSH_CONCURRENCY),
    onWarning: (text) => context.onWarning?.(text),
  };
}
