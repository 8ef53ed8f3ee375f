import type { PartSettings, RuleBreak, Setting, Values, WithDefault } from "../../contracts/setting.ts";

export const SSH_HOST_NAME: Setting<"text"> = {
  key: "SSH_HOST_NAME",
  kind: "text",
  help: "Host that archives are sent to over SFTP. Setting it switches SSH on.",
  check: checkHost,
};

export const SSH_PORT: WithDefault<"natural"> = {
  key: "SSH_PORT",
  kind: "natural",
  default: "22",
  help: "Port of the host.",
  check: (port) => (port >= 1 && port <= 65_535 ? undefined : "must be from 1 to 65535"),
};

export const SSH_USER: Setting<"text"> = {
  key: "SSH_USER",
  kind: "text",
  help: "User name.",
};

export const SSH_PASSWORD: Setting<"text"> = {
  key: "SSH_PASSWORD",
  kind: "text",
  secret: true,
  help: "Password.",
};

export const SSH_IDENTITY_FILE: WithDefault<"path"> = {
  key: "SSH_IDENTITY_FILE",
  kind: "path",
  default: "/root/.ssh/id_rsa",
  help: "Private key file. A file that is missing is passed over.",
};

export const SSH_IDENTITY_PASSPHRASE: Setting<"text"> = {
  key: "SSH_IDENTITY_PASSPHRASE",
  kind: "text",
  secret: true,
  help: "Passphrase of the private key.",
};

export const SSH_REMOTE_PATH: Setting<"text"> = {
  key: "SSH_REMOTE_PATH",
  kind: "text",
  help: "Folder on the host; it is made where it is missing.",
};

export const SSH_KNOWN_HOSTS: Setting<"path"> = {
  key: "SSH_KNOWN_HOSTS",
  kind: "path",
  isNew: true,
  help: "File in the format of OpenSSH's `known_hosts` that the host's key must be in.",
};

export const SSH_HOST_KEY_FINGERPRINT: Setting<"text"> = {
  key: "SSH_HOST_KEY_FINGERPRINT",
  kind: "text",
  isNew: true,
  help: "Fingerprint that the host's key must have, as `ssh-keygen -l` prints it: `SHA256:...`. Without this and `SSH_KNOWN_HOSTS` the key seen first is remembered.",
  check: (text) =>
    /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text)
      ? undefined
      : "must be SHA256: and 43 characters of base64, as ssh-keygen -l prints it",
};

export const SSH_AUTH_SOCK: Setting<"path"> = {
  key: "SSH_AUTH_SOCK",
  kind: "path",
  isNew: true,
  help: "Socket of an SSH agent whose keys are tried after the private key file.",
};

export const SSH_CONCURRENCY: WithDefault<"natural"> = {
  key: "SSH_CONCURRENCY",
  kind: "natural",
  default: "64",
  isNew: true,
  help: "Write requests of 32 KiB that may be on their way at the same time. `1` is for servers that need them in order, such as gateways to object stores.",
  check: (requests) => (requests >= 1 && requests <= 256 ? undefined : "must be from 1 to 256"),
};

export const sshSettings: PartSettings = {
  part: "ssh",
  title: "SSH",
  settings: [
    SSH_HOST_NAME,
    SSH_PORT,
    SSH_USER,
    SSH_PASSWORD,
    SSH_IDENTITY_FILE,
    SSH_IDENTITY_PASSPHRASE,
    SSH_REMOTE_PATH,
    SSH_KNOWN_HOSTS,
    SSH_HOST_KEY_FINGERPRINT,
    SSH_AUTH_SOCK,
    SSH_CONCURRENCY,
  ],
  isConfigured,
  rules,
  target: (values) =>
    `${values.get(SSH_USER) ?? ""}@${values.get(SSH_HOST_NAME) ?? ""}:${values.get(SSH_PORT)}/${values.get(SSH_REMOTE_PATH) ?? ""}`,
};

function isConfigured(values: Values): boolean {
  return values.isSet(SSH_HOST_NAME);
}

function rules(values: Values): readonly RuleBreak[] {
  if (!isConfigured(values)) return [];
  const breaks: RuleBreak[] = [];
  if (!values.isSet(SSH_USER))
    breaks.push({ key: SSH_HOST_NAME.key, severity: "error", message: `needs ${SSH_USER.key} as well` });
  if (values.isSet(SSH_KNOWN_HOSTS) && values.isSet(SSH_HOST_KEY_FINGERPRINT)) {
    breaks.push({
      key: SSH_KNOWN_HOSTS.key,
      severity: "error",
      message: `can't be used together with ${SSH_HOST_KEY_FINGERPRINT.key}; keep one`,
    });
  }
  return breaks;
}

/** IPv6 addresses have more than one colon. */
function checkHost(host: string): string | undefined {
  if (host.includes("@")) return "must be a host name or address alone; the user goes into SSH_USER";
  if (/^[^:]*:\d+$/.test(host)) return "must be a host name or address alone; the port goes into SSH_PORT";
  return /[\s/]/.test(host) ? "must be a host name or address alone" : undefined;
}
