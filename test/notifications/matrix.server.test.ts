import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SendReport } from "../../src/contracts/notification.ts";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { sendAll } from "../../src/notifications/send/send-all.ts";
import { startSynapse, type Synapse } from "../servers/synapse.ts";

const PASSWORD = "p@ss/w:ord";
let server: Synapse;
let sender: string;
let reader: string;

beforeAll(async () => {
  server = await startSynapse();
  server.register("lab", PASSWORD);
  server.register("reader", PASSWORD);
  sender = await server.logIn("lab", PASSWORD);
  reader = await server.logIn("reader", PASSWORD);
});
afterAll(() => server.stop());

async function createRoom(settings: object): Promise<string> {
  const room = await server.call(reader, "POST", "/createRoom", settings);
  return String(room["room_id"]);
}

/** The texts in a room, oldest first. */
async function textsIn(room: string): Promise<string[]> {
  const { chunk } = await server.call(reader, "GET", `/rooms/${encodeURIComponent(room)}/messages?dir=f&limit=100`);
  return (chunk as { type: string; content: { body?: string } }[])
    .filter(({ type }) => type === "m.room.message")
    .map(({ content }) => content.body ?? "");
}

async function send(userInfo: string, query: string, body = "Größe: 1 ГБ ✅\nline"): Promise<SendReport | undefined> {
  const { routes, problems } = parseRoutes(`matrix://${userInfo}@localhost:${server.port}/?disableTLS=yes${query}`);
  expect(problems).toEqual([]);
  return (
    await sendAll(routes, { title: "Backup failed", body, level: "error" }, { signal: AbortSignal.timeout(30_000) })
  )[0];
}

const withPassword = `lab:${encodeURIComponent(PASSWORD)}`;

describe("Matrix at Synapse", () => {
  it("logs in, joins a room by its alias, and sends", async () => {
    const room = await createRoom({ preset: "public_chat", room_alias_name: "backups" });
    const report = await send(withPassword, "&rooms=%23backups:localhost");
    expect(report).toMatchObject({ isDelivered: true, problems: [], deliveredTargets: ["room 1"] });
    expect(await textsIn(room)).toEqual(["Backup failed\n\nGröße: 1 ГБ ✅\nline"]);
    // Logins don't pile up devices.
    await send(withPassword, "&rooms=backups:localhost");
    const { devices } = await server.call(sender, "GET", "/devices");
    expect((devices as { device_id: string }[]).filter(({ device_id: id }) => id.startsWith("SH"))).toHaveLength(1);
    expect(await textsIn(room)).toHaveLength(2);
  });

  it("accepts an invitation to a room by its id, with an access token", async () => {
    const room = await createRoom({ preset: "private_chat", invite: ["@lab:localhost"] });
    expect(await send(`:${sender}`, `&rooms=${encodeURIComponent(room)}`)).toMatchObject({
      isDelivered: true,
      problems: [],
    });
    expect(await textsIn(room)).toHaveLength(1);
  });

  it("sends to all joined rooms where none is named", async () => {
    const report = await send(`:${sender}`, "");
    expect(report?.isDelivered).toBe(true);
    expect(report?.deliveredTargets.length).toBeGreaterThanOrEqual(2);
  });

  it("cuts a megabyte to what the server takes", async () => {
    const report = await send(`:${sender}`, "&rooms=%23backups:localhost", "Größe: 1 ГБ ✅\n".repeat(40_000));
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
  });

  it("reports a room that it may not enter, and sends to the others", async () => {
    await createRoom({ preset: "private_chat", room_alias_name: "closed" });
    const report = await send(`:${sender}`, "&rooms=%23closed:localhost%2C%23backups:localhost");
    expect(report).toMatchObject({ isDelivered: false, canRetry: false, deliveredTargets: ["room 2"] });
    expect(report?.problems.join()).toMatch(/^room 1: HTTP 403: .*M_FORBIDDEN/);
  });

  it("reports a wrong password and a wrong token without showing them", async () => {
    const first = await send("lab:wr0ng-word", "&rooms=%23backups:localhost");
    expect(first?.problems.join()).toMatch(/^login: HTTP 403: .*M_FORBIDDEN/);
    const second = await send(":syt_wr0ng_token", "&rooms=%23backups:localhost");
    expect(second?.problems.join()).toMatch(/HTTP 401: .*M_UNKNOWN_TOKEN/);
    expect(`${first?.problems.join()}${second?.problems.join()}`).not.toMatch(/wr0ng/);
  });
});
