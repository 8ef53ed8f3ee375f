import { spawn, execFileSync } from "node:child_process";
import { writeFileSync, chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "./certificates.ts";
import { freePort, startProgram, temporaryFolder } from "./program.ts";

/** Mosquitto with one user, on a plain port and on one with TLS. */
export interface Mosquitto {
  readonly port: number;
  readonly tlsPort: number;
  readonly user: string;
  readonly password: string;
  /** The next message on a topic, as another client gets it. */
  next(topic: string): Promise<{ readonly payload: string; readonly retained: boolean; readonly qos: number }>;
  stop(): Promise<void>;
}

export async function startMosquitto(): Promise<Mosquitto> {
  const folder = temporaryFolder();
  const certificates = makeCertificates(folder);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const [user, password] = ["lab", "lab:p@ss/w"];
  const passwords = join(folder, "passwords");
  execFileSync("mosquitto_passwd", ["-b", "-c", passwords, user, password]);
  const configuration = join(folder, "mosquitto.conf");
  writeFileSync(
    configuration,
    [
      "persistence false",
      "per_listener_settings false",
      "allow_anonymous false",
      `password_file ${passwords}`,
      ...(process.getuid?.() === 0 ? ["user root"] : []),
      `listener ${port} 127.0.0.1`,
      `listener ${tlsPort} 127.0.0.1`,
      `certfile ${certificates.certificateFile}`,
      `keyfile ${certificates.keyFile}`,
      "",
    ].join("\n"),
  );
  chmodSync(folder, 0o755);
  const program = await startProgram({ command: "mosquitto", args: ["-c", configuration], port });
  return {
    port,
    tlsPort,
    user,
    password,
    next: (topic) => receive(port, user, password, topic),
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function receive(
  port: number,
  user: string,
  password: string,
  topic: string,
): Promise<{ payload: string; retained: boolean; qos: number }> {
  const child = spawn(
    "mosquitto_sub",
    [
      "-h",
      "127.0.0.1",
      "-p",
      `${port}`,
      "-u",
      user,
      "-P",
      password,
      "-t",
      topic,
      "-q",
      "2",
      "-C",
      "1",
      "-W",
      "20",
      "-F",
      "%q %r %p",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => child.once("close", resolve));
  const [, qos = "", retained = "", payload = ""] =
    /^(\d) (\d) (.*)\n$/s.exec(Buffer.concat(chunks).toString("utf8")) ?? [];
  return { payload, retained: retained === "1", qos: Number(qos) };
}
