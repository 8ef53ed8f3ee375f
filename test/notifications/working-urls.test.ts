import { describe, expect, it } from "vitest";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { bodies, sendThrough } from "./sending.ts";

/** Forms of URLs that the senders that users come from take, seen by running them. */
describe("URLs that work elsewhere", () => {
  const hook = "WNA3PBYV6-F20DUQND3RQ-Webc4MAvoacrpPakR8phF0zi";

  it.each([`slack://${hook.replaceAll("-", "/")}/`, `slack://hook:${hook}@`])(
    "slack: %s is the webhook's own channel",
    async (url) => {
      const { report, received } = await sendThrough(url, { body: "b" });
      expect(report.problems).toEqual([]);
      expect(received.map((one) => one.url)).toEqual([`https://hooks.slack.com/services/${hook.replaceAll("-", "/")}`]);
      expect(bodies(received)[0]).not.toHaveProperty("channel");
    },
  );

  it("notifiarr: passes over what it does not know, and an empty channel is none", async () => {
    const { report, received } = await sendThrough("notifiarr://apikey-1?channel=&event=x", { body: "b" });
    expect(report.problems).toEqual([]);
    expect(bodies(received)[0]).toMatchObject({ discord: { text: { description: "b" } } });
    expect(received[0]?.body).not.toContain("ids");
  });

  it.each([
    ["2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05Z"],
    ["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05", "2026-01-02T03:04:05Z"],
    ["2026-01-02 03:04:05", "2026-01-02T03:04:05Z"],
    ["1767323045", "2026-01-02T03:04:05Z"],
  ])("gotify: date=%s is %s", async (given, date) => {
    const url = `gotify://g.example/AzyoeNS.D4iJLVa?extras=&date=${encodeURIComponent(given)}`;
    const { report, received } = await sendThrough(url, { body: "b" });
    expect(report.problems).toEqual([]);
    expect(bodies(received)[0]).toEqual({ message: "b", title: "Shoutrrr notification", priority: 0, date });
  });

  it.each(["tomorrow", "2026-13-02T03:04:05Z", "99999999999999999"])(
    "gotify: date=%s is left out with a warning, since the server refuses a message with it",
    async (given) => {
      const url = `gotify://g.example/AzyoeNS.D4iJLVa?extras=null&date=${given}`;
      expect(parseRoutes(url).warnings).toEqual([expect.stringMatching(/^URL 1 of 1 \(gotify\): date is /)]);
      const { received } = await sendThrough(url, { body: "b" });
      expect(bodies(received)[0]).toEqual({ message: "b", title: "Shoutrrr notification", priority: 0 });
    },
  );

  it("generic: headers of the connection itself are not the user's to set", async () => {
    const names = ["Content-Length", "Transfer-Encoding", "Trailer", "Expect", "Keep-Alive", "Upgrade"];
    const query = names.map((name) => `@${name}=1`).join("&");
    const { report, received } = await sendThrough(`generic://h.example/?${query}&@X-Own=1`, { body: "b" }, () => ({
      status: 200,
    }));
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(received[0]).toMatchObject({ body: "b", headers: { "x-own": "1", "content-length": "1" } });
  });

  it("signal: sender, recipients and login may stand in the query, where they count instead", async () => {
    const url = "signal://s.example/+1/+2?source=%2B3&to=%2B4,+5&user=u&password=p";
    const { report, received } = await sendThrough(url, { body: "b" });
    expect(report.problems).toEqual([]);
    expect(bodies(received)[0]).toMatchObject({ number: "+3", recipients: ["+4", "+5"] });
    expect(received[0]?.headers["authorization"]).toBe(`Basic ${Buffer.from("u:p").toString("base64")}`);
  });

  it.each(["signal://s.example/+1/+2?recipients=nobody", "signal://s.example/+1/+2?source=x"])(
    "signal: %s is refused",
    (url) => expect(parseRoutes(url).routes).toEqual([]),
  );
});
