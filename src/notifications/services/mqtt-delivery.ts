import { randomBytes } from "node:crypto";
import { connect, type IClientOptions } from "mqtt";
import type { NotificationMessage } from "../../contracts/notification.ts";
import { orAborted } from "../../lib/abortable.ts";
import { messageOf } from "../../lib/errors.ts";
import { retry } from "../../lib/retry.ts";
import { titled } from "../cut.ts";
import { titleOf } from "../requests.ts";
import type { DeliveryContext, Failure } from "../service.ts";
import { describeFailure } from "../send/describe-error.ts";
import type { MqttConfig } from "./mqtt.ts";

const CONNECT_MS = 8_000;
const ATTEMPTS = 3;
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 4_000;
const SERVER_UNAVAILABLE = 3;

/** Connects, publishes once, and takes leave in an orderly way, so that even an unconfirmed message is written out. */
export async function publish(
  config: MqttConfig,
  message: NotificationMessage,
  context: DeliveryContext,
): Promise<void> {
  if (context.skip.has("all")) return;
  try {
    await retry(() => attempt(config, titled(titleOf(message, config.props.title), message.body), context.signal), {
      attempts: ATTEMPTS,
      baseMs: RETRY_BASE_MS,
      maxMs: RETRY_MAX_MS,
      signal: context.signal,
      isTransient: (thrown) => failureOf(thrown).canRetry,
    });
    context.delivered("all");
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    context.failed(failureOf(thrown));
  }
}

async function attempt(config: MqttConfig, text: string, signal: AbortSignal): Promise<void> {
  const { topic, qos, props } = config;
  const client = connect(optionsOf(config));
  const failed = new Promise<never>((_, reject) => {
    client.on("error", reject);
    client.on("close", () => reject(new Error("the broker closed the connection")));
  });
  failed.catch(() => undefined);
  const orFailed = async (step: Promise<unknown>): Promise<unknown> => orAborted(Promise.race([failed, step]), signal);
  try {
    await orFailed(new Promise((resolve) => client.once("connect", resolve)));
    await orFailed(client.publishAsync(topic, text, { qos, retain: props.retained }));
    await orAborted(client.endAsync(), signal);
  } finally {
    client.end(true);
  }
}

function optionsOf({ hostname, port, isTls, user, password, props }: MqttConfig): IClientOptions {
  return {
    host: hostname,
    port,
    protocol: isTls ? "mqtts" : "mqtt",
    clientId: props.clientid === "" ? defaultClientId(props.cleansession) : props.clientid,
    clean: props.cleansession,
    ...(user === "" ? {} : { username: user, password }),
    rejectUnauthorized: !props.disabletlsverification,
    connectTimeout: CONNECT_MS,
    reconnectPeriod: 0,
  };
}

/** A fixed name would let two sidecars throw each other out; a session that is kept needs one. */
function defaultClientId(isClean: boolean): string {
  return isClean ? `lifeboat-${randomBytes(6).toString("hex")}` : "lifeboat";
}

/** The broker's refusals have a number; a wrong password stays wrong. */
function failureOf(thrown: unknown): Failure {
  const code: unknown = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (typeof code === "number") {
    return { problem: `the broker refused: ${messageOf(thrown)} (${code})`, canRetry: code === SERVER_UNAVAILABLE };
  }
  const { problem, canRetry } = describeFailure(thrown);
  return { problem, canRetry: canRetry || /connack timeout|closed the connection/i.test(problem) };
}
