import { protocolService } from "../service.ts";
import { type GoUrl, requireHost } from "../url/go-url.ts";
import { choice, flag, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";

const QOS = ["AtMostOnce", "AtLeastOnce", "ExactlyOnce"] as const;

const PROPS = {
  clientid: text(),
  qos: choice(QOS, "AtMostOnce", {
    0: "AtMostOnce",
    1: "AtLeastOnce",
    2: "ExactlyOnce",
    at_most_once: "AtMostOnce",
    at_least_once: "AtLeastOnce",
    exactly_once: "ExactlyOnce",
  }),
  retained: flag(false),
  cleansession: flag(true),
  disabletls: flag(false),
  disabletlsverification: flag(false),
  title: text(),
};

const LONGEST_TOPIC_BYTES = 65_535;

export interface MqttConfig {
  readonly hostname: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly user: string;
  readonly password: string;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly props: PropValues<typeof PROPS>;
}

/** A message on a topic of an MQTT broker. The library is loaded when the first one is sent. */
export const mqtt = protocolService<MqttConfig>({
  name: "mqtt",
  schemes: ["mqtt", "mqtts"],
  parse: parseMqtt,
  secrets: ({ topic }) => [topic],
  async deliver(config, message, context) {
    const { publish } = await import("./mqtt-delivery.ts");
    await publish(config, message, context);
  },
});

/** @throws UrlProblem */
export function parseMqtt(url: GoUrl): MqttConfig {
  const props = readProps(url, PROPS);
  requireHost(url);
  const topic = url.path.replace(/^\//, "");
  if (topic === "") reject("has no topic: write mqtt://host/TOPIC");
  if (/[+#\0]/.test(topic)) reject("has a topic with + or # in it, which can only be subscribed to");
  if (Buffer.byteLength(topic) > LONGEST_TOPIC_BYTES) reject("has too long a topic");
  if ((url.password ?? "") !== "" && (url.user ?? "") === "") reject("has a password without a user name");
  const isTls = url.scheme === "mqtts" && !props.disabletls;
  return {
    hostname: url.hostname,
    port: url.port ?? (url.scheme === "mqtts" ? 8883 : 1883),
    isTls,
    user: url.user ?? "",
    password: url.password ?? "",
    topic,
    qos: QOS.indexOf(props.qos) as 0 | 1 | 2,
    props,
  };
}
