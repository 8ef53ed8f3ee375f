import type { Client } from "ssh2";
import type SftpClientClass from "ssh2-sftp-client";
import { DestinationError, messageOf } from "../../lib/errors.ts";
import { CONNECT_MS } from "../limits.ts";
import { createAuthHandler, type Credentials, loadCredentials } from "./auth.ts";
import { toConnectionError, toSftpStartError } from "./errors.ts";
import { connectGathering } from "./gathering-socket.ts";
import { createHostKeyPolicy, type HostKeyPolicy } from "./host-key.ts";
import type { SshOptions } from "./options.ts";
import { createSession, type Session } from "./session.ts";

/** Logging in may wait for PAM, a directory service or a slow key; milliseconds. */
const LOGIN_MS = 20_000;

/** The last choice, for old NAS firmware that has nothing better; other clients, and the image that we replace, still offer it too. */
const OLD_KEY_EXCHANGE = "diffie-hellman-group14-sha1";

const NO_COMMON_KEY = /no matching host key/i;

/** Connects, checks the host's key, logs in and begins SFTP. Rejects with a `DestinationError` that names the setting to look at. */
export async function openSession(options: SshOptions): Promise<Session> {
  const [{ default: SftpClient }, { default: ssh2 }] = await Promise.all([import("ssh2-sftp-client"), import("ssh2")]);
  const credentials = await loadCredentials(options, (text, passphrase) => ssh2.utils.parseKey(text, passphrase));
  const policy = await createHostKeyPolicy(options);
  while (true) {
    try {
      return await connectOnce(new SftpClient("lifeboat", {}), options, credentials, policy);
    } catch (error) {
      // Anything else would only be refused a second time, and count as another failed login.
      const isAboutKey = policy.refusal() !== undefined || NO_COMMON_KEY.test(messageOf(error));
      if (!isAboutKey || !policy.tryOthers()) throw policy.refusal() ?? error;
    }
  }
}

type Wrapper = InstanceType<typeof SftpClientClass>;

async function connectOnce(
  wrapper: Wrapper,
  options: SshOptions,
  credentials: Credentials,
  policy: HostKeyPolicy,
): Promise<Session> {
  const attempt = `cannot reach ${options.host}:${options.port}`;
  const { client } = wrapper as unknown as { readonly client: Client };
  const auth = createAuthHandler(options, credentials);
  // The wrapper's own errors have lost what kind they are of.
  let failure: (Error & { readonly level?: string }) | undefined;
  client.on("error", (error) => (failure ??= error));
  const socket = connectGathering({ host: options.host, port: options.port });
  // The library listens, too, but not before it liked all options: until then an error would end the process.
  socket.on("error", () => undefined);
  let isLoggedIn = false;
  client.once("ready", () => (isLoggedIn = true));
  const bound = boundHandshake(client, attempt, options.limits?.connectMs ?? CONNECT_MS);
  try {
    const sftp = await Promise.race([
      wrapper.connect({
        host: options.host,
        port: options.port,
        sock: socket,
        username: options.user,
        authHandler: auth.handler,
        // The bounds are our own: one for the handshake, one for logging in.
        readyTimeout: 0,
        keepaliveInterval: 0,
        hostVerifier: (key: Buffer) => policy.verify(key),
        algorithms: {
          kex: { append: [OLD_KEY_EXCHANGE] } as never,
          ...(policy.algorithms === undefined ? {} : { serverHostKey: [...policy.algorithms] as never }),
        },
      }),
      bound.expired,
    ]);
    // Without it every packet waits for the answer to the one before (44 ms each, measured).
    client.setNoDelay(true);
    await policy.accepted();
    const idleMs = options.limits?.idleMs;
    return createSession({ client, sftp, attempt, ...(idleMs === undefined ? {} : { idleMs }) });
  } catch (error) {
    client.destroy();
    socket.destroy();
    if (failure?.level === "client-authentication") throw auth.refusal(options, credentials);
    const reason = error instanceof DestinationError ? error : (failure ?? error);
    throw isLoggedIn ? toSftpStartError(reason, attempt) : toConnectionError(reason, attempt);
  } finally {
    bound.stop();
  }
}

interface Bound {
  readonly expired: Promise<never>;
  stop(): void;
}

function boundHandshake(client: Client, attempt: string, connectMs: number): Bound {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const after = (ms: number, what: string, hint: string): NodeJS.Timeout =>
    setTimeout(
      () => reject(new DestinationError("unavailable", `${attempt}: ${what} within ${ms / 1000} s`, { hint })),
      ms,
    );
  let timer = after(connectMs, "no SSH server answered", "check SSH_HOST_NAME and SSH_PORT, and firewalls in between");
  // The library would wait for a new one for ever.
  (client as NodeJS.EventEmitter).once("change password", () =>
    reject(
      new DestinationError("denied", `${attempt}: the password has expired`, {
        hint: "set a new one on the server, and correct SSH_PASSWORD",
      }),
    ),
  );
  client.once("handshake", () => {
    clearTimeout(timer);
    timer = after(LOGIN_MS, "the login was not answered", "look into the log of the SSH server");
  });
  client.once("ready", () => {
    clearTimeout(timer);
    timer = after(LOGIN_MS, "it let us in, but SFTP did not begin", "look into the log of the SSH server");
  });
  return { expired: promise, stop: () => clearTimeout(timer) };
}
