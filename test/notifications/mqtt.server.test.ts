import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SendReport } from "../../src/contracts/notification.ts";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { sendAll } from "../../src/notifications/send/send-all.ts";
import { sleep } from "../../src/lib/clock.ts";
import { type Mosquitto, startMosquitto } from "../servers/mosquitto.ts";
import { freePort } from "../servers/program.ts";

let broker: Mosquitto;

beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(async () => {
  await broker.stop();
});

async function send(url: string, body = "Größe: 1 ГБ ✅\nline"): Promise<SendReport | undefined> {
  const { routes } = parseRoutes(url);
  const message = { title: "Backup failed", body, level: "error" as const };
  return (await sendAll(routes, message, { signal: AbortSignal.timeout(30_000) }))[0];
}

const userInfo = (): string => `${broker.user}:${encodeURIComponent(broker.password)}`;

describe("MQTT at Mosquitto", () => {
  it.each([
    { qos: "", wanted: 0 },
    { qos: "?qos=1", wanted: 1 },
    { qos: "?qos=ExactlyOnce", wanted: 2 },
  ])("publishes with $qos", async ({ qos, wanted }) => {
    const received = broker.next("backups/web");
    await sleep(500);
    const report = await send(`mqtt://${userInfo()}@localhost:${broker.port}/backups/web${qos}`);
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(await received).toEqual({ payload: "Backup failed\nGröße: 1 ГБ ✅\nline", retained: false, qos: wanted });
  });

  it("keeps a retained message for those who come later", async () => {
    const report = await send(
      `mqtt://${userInfo()}@127.0.0.1:${broker.port}/kept?retained=yes&qos=1`,
      "x".repeat(1_000_000),
    );
    expect(report?.isDelivered).toBe(true);
    const { payload, retained } = await broker.next("kept");
    expect(retained).toBe(true);
    expect(payload).toHaveLength(1_000_014);
  });

  it("speaks TLS, and only with a certificate that is trusted unless it is told otherwise", async () => {
    const address = `mqtts://${userInfo()}@localhost:${broker.tlsPort}/tls`;
    const refused = await send(address);
    expect(refused).toMatchObject({ isDelivered: false, canRetry: false });
    expect(refused?.problems.join()).toMatch(/certificate/);
    const received = broker.next("tls");
    await sleep(500);
    expect(await send(`${address}?disabletlsverification=yes`)).toMatchObject({ isDelivered: true });
    expect((await received).payload).toContain("Backup failed");
  });

  it("reports a wrong password once, and without it", async () => {
    const report = await send(`mqtt://${broker.user}:wr0ng-word@localhost:${broker.port}/t`);
    expect(report).toMatchObject({ isDelivered: false, canRetry: false });
    expect(report?.problems.join()).toMatch(/not authorized|bad user/i);
    expect(report?.problems.join()).not.toContain("wr0ng-word");
  });

  it("reports a broker that is not there as worth another try", async () => {
    const report = await send(`mqtt://localhost:${await freePort()}/t`);
    expect(report).toMatchObject({ isDelivered: false, canRetry: true, problems: ["the connection was refused"] });
  });
});
