import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, type Program, serversFolder, startProgram, temporaryFolder } from "./program.ts";

/** A real Matrix homeserver with the users `lab` and `reader`. */
export interface Synapse {
  readonly port: number;
  /** The access token of a user, who is made if need be. */
  logIn(user: string, password: string): Promise<string>;
  /** A call of the client API as a user. */
  call(token: string, method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>>;
  register(user: string, password: string): void;
  stop(): Promise<void>;
}

export async function startSynapse(): Promise<Synapse> {
  const folder = temporaryFolder();
  const bin = join(serversFolder(), "synapse", "bin");
  const port = await freePort();
  const configuration = join(folder, "homeserver.yaml");
  const python = join(bin, "python");
  execFileSync(
    python,
    // oxfmt-ignore
    ["-m", "synapse.app.homeserver", "--server-name", "localhost", "--config-path", configuration,
      "--data-directory", folder, "--generate-config", "--report-stats=no"],
    { cwd: folder, stdio: "pipe" },
  );
  const generated = readFileSync(configuration, "utf8");
  const listeners = `listeners:\n  - port: ${port}\n    type: http\n    bind_addresses: [127.0.0.1]\n    resources:\n      - names: [client]\n\n`;
  const withoutLists = generated
    .replace(/^listeners:\n(?:(?:[ #-].*)?\n)*/m, listeners)
    .replace(/^trusted_key_servers:\n(?:(?:[ #-].*)?\n?)*/m, "trusted_key_servers: []\n");
  writeFileSync(
    configuration,
    `${withoutLists}\nrc_message: {per_second: 1000, burst_count: 1000}\nrc_login:\n  address: {per_second: 1000, burst_count: 1000}\n  account: {per_second: 1000, burst_count: 1000}\n`,
  );
  const program: Program = await startProgram({
    command: python,
    args: ["-m", "synapse.app.homeserver", "--config-path", configuration],
    port,
    cwd: folder,
    readyWithinMs: 90_000,
  });
  const base = `http://127.0.0.1:${port}/_matrix/client/v3`;
  const call: Synapse["call"] = async (token, method, path, body) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  return {
    port,
    call,
    register(user, password) {
      execFileSync(
        join(bin, "register_new_matrix_user"),
        ["-c", configuration, "-u", user, "-p", password, "--no-admin", `http://127.0.0.1:${port}`],
        { stdio: "pipe" },
      );
    },
    async logIn(user, password) {
      const identifier = { type: "m.id.user", user };
      const answer = await call("", "POST", "/login", { type: "m.login.password", identifier, password });
      return String(answer["access_token"]);
    },
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
