import { createDecipheriv, createHmac } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { fakeService } from "./fakes.ts";
import { bodies, sendThrough } from "./sending.ts";
import type { Received } from "./wire.ts";

interface Embeds {
  readonly embeds: readonly { readonly title?: string; readonly description: string }[];
}

const embedsOf = (received: readonly Received[]): readonly Embeds[] => bodies(received) as unknown as Embeds[];

describe("discord", () => {
  const url = "discord://t0ken@12345";
  const lines = (count: number, length = 1): string[] =>
    Array.from({ length: count }, (_, index) => `${index}:`.padEnd(length, "ы"));

  it.each([
    [130, 1, 13],
    [12, 1, 2],
    [9, 1990, 3],
    [200, 1, 20],
  ])("loses and doubles no line of %i, each of %i characters, in %i requests", async (count, length, requests) => {
    const { report, received } = await sendThrough(url, { title: "T", body: lines(count, length).join("\n") });
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(received).toHaveLength(requests);
    const sent = embedsOf(received);
    expect(sent.flatMap(({ embeds }) => embeds.map(({ description }) => description))).toEqual(lines(count, length));
    expect(
      sent.every(
        ({ embeds: [first, ...rest] }) => first?.title === "T" && rest.every(({ title }) => title === undefined),
      ),
    ).toBe(true);
  });

  it("ends with a mark after twenty requests", async () => {
    const { received } = await sendThrough(url, { body: lines(300).join("\n") });
    expect(received).toHaveLength(20);
    expect(embedsOf(received).at(-1)?.embeds.at(-1)?.description).toMatch(/^199: \[\.\.\.\]$/);
  });

  it("splits by length at blanks without losing a word or harming a character", async () => {
    const words = Array.from({ length: 3000 }, (_, index) => `слово${index}🎉`);
    const { report, received } = await sendThrough(`${url}?splitlines=no`, {
      title: "T".repeat(300),
      body: words.join(" "),
    });
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    const sent = embedsOf(received).flatMap(({ embeds }) => embeds.map(({ description }) => description));
    expect(sent.join(" ").split(" ")).toEqual(words);
    expect(Math.max(...sent.map((text) => Array.from(text).length))).toBeLessThanOrEqual(2000);
  });

  it("sends the parts again that failed, not those that are there", async () => {
    const { report } = await sendThrough(url, { body: lines(25).join("\n") }, ({ body }) => ({
      status: body.includes('"10:"') ? 404 : 204,
    }));
    expect(report).toMatchObject({ isDelivered: false, deliveredTargets: ["part 1", "part 3"] });
    const skip = new Map([[report.routeId, report.deliveredTargets]]);
    const { received } = await sendThrough(url, { body: lines(25).join("\n") }, undefined, { skip });
    expect(received).toHaveLength(1);
    expect(received[0]?.body).toContain('"10:"');
  });

  it("sends a title alone, and says that nothing at all can't be sent", async () => {
    expect((await sendThrough(url, { title: "T", body: "\n\n" })).report.isDelivered).toBe(true);
    const { report, received } = await sendThrough(url, { body: "\n" });
    expect({ problems: report.problems, received }).toEqual({
      problems: ["the message is empty, and Discord takes none such"],
      received: [],
    });
  });

  it("waits as long as it is asked to", async () => {
    const { report, received } = await sendThrough(url, { body: "b" }, (_, index) =>
      index === 0 ? { status: 429, headers: { "retry-after": "0.3" } } : { status: 204 },
    );
    expect(report.isDelivered).toBe(true);
    expect(received).toHaveLength(2);
    expect(report.tookMs).toBeGreaterThan(290);
  });

  it("does not wait longer than there is time", async () => {
    const { report, received } = await sendThrough(url, { body: "b" }, () => ({
      status: 429,
      headers: { "retry-after": "3600" },
    }));
    expect(report).toMatchObject({ isDelivered: false, canRetry: true, problems: ["HTTP 429: an empty answer"] });
    expect(received).toHaveLength(1);
  });
});

describe("telegram", () => {
  it("is tried again where the answer breaks off before it says whether the text was taken", async () => {
    const { report, received } = await sendThrough("telegram://1:a@telegram?chats=1", { body: "b" }, (one, index) =>
      index === 0 ? { status: 200, body: '{"ok":', breaksOff: true } : fakeService(one),
    );
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(received).toHaveLength(2);
  });

  const url = "telegram://1:secret@telegram?chats=@c";

  it("escapes, cuts between entities, and stays within the limit", async () => {
    const { report, received } = await sendThrough(url, { title: "a<b", body: "&".repeat(5000) });
    expect(report.problems).toEqual([]);
    const text = String(bodies(received)[0]?.["text"]);
    expect(text).toMatch(/^<b>a&lt;b<\/b>\n(?:&amp;)+ \[\.\.\.\]$/);
    expect(text.length).toBeLessThanOrEqual(4096);
  });

  it("sends markup that Telegram can't read as it stands", async () => {
    const { report, received } = await sendThrough(`${url}&parsemode=HTML`, { title: "T", body: "1 < 2 & 3" });
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(bodies(received).map((body) => [body["parse_mode"], body["text"]])).toEqual([
      ["HTML", "<b>T</b>\n1 < 2 & 3"],
      [undefined, "T\n1 < 2 & 3"],
    ]);
  });

  it("follows a group that became a supergroup", async () => {
    const { report, received } = await sendThrough(url, { body: "b" }, (_, index) =>
      index === 0
        ? { status: 400, body: '{"ok":false,"description":"upgraded","parameters":{"migrate_to_chat_id":-1001}}' }
        : { status: 200, body: '{"ok":true}' },
    );
    expect(report.isDelivered).toBe(true);
    expect(bodies(received).map((body) => body["chat_id"])).toEqual(["@c", "-1001"]);
  });

  it.each([
    [200, '{"ok":false,"description":"chat not found"}', "HTTP 200: chat not found"],
    [200, "<html>", "HTTP 200: the answer is no JSON object"],
    [502, "<html>bad gateway</html>", "HTTP 502: <html>bad gateway</html>"],
  ])("never takes %i %s for a success", async (status, body, problem) => {
    const { report } = await sendThrough(url, { body: "b" }, () => ({ status, body }));
    expect(report.isDelivered).toBe(false);
    expect(report.problems[0]).toContain(problem);
  });

  it("escapes the title in MarkdownV2", async () => {
    const { received } = await sendThrough(`${url}&parsemode=markdownv2`, { title: "a-b.c", body: "*m*" });
    expect(bodies(received)[0]).toMatchObject({ text: "a\\-b\\.c\n*m*", parse_mode: "MarkdownV2" });
  });

  it("reports each chat that failed and whether a later try helps", async () => {
    const { report } = await sendThrough("telegram://1:secret@telegram?chats=@a,@b,@c", { body: "b" }, ({ body }) =>
      body.includes("@b") ? { status: 403, body: '{"ok":false}' } : { status: 200, body: '{"ok":true}' },
    );
    expect(report).toMatchObject({
      canRetry: false,
      deliveredTargets: ["chat 1", "chat 3"],
      problems: ['chat 2: HTTP 403: {"ok":false}'],
    });
  });
});

describe("slack", () => {
  it("puts what exceeds a hundred lines into the last attachment", async () => {
    const body = Array.from({ length: 150 }, (_, index) => `${index}`).join("\n");
    const { received } = await sendThrough("slack://AAAAAAAAA/BBBBBBBBB/123456789123456789123456", {
      title: "T",
      body,
    });
    const [{ attachments } = expect.fail()] = bodies(received) as unknown as {
      attachments: readonly { text: string }[];
    }[];
    expect(attachments).toHaveLength(100);
    expect(attachments.map(({ text }) => text).join("\n")).toBe(body);
  });

  it.each([
    "hook:WNA3PBYV6-F20DUQND3RQ-Webc4MAvoacrpPakR8phF0zi-more@webhook",
    "HOOK:WNA3PBYV6-F20DUQND3RQ-Webc4MAvoacrpPakR8phF0zi@webhook",
  ])("refuses a token with something around it: %s", (rest) =>
    expect(parseRoutes(`slack://${rest}`).routes).toEqual([]),
  );

  it("does not take `ok` with an error's status for a success", async () => {
    const { report } = await sendThrough("slack://AAAAAAAAA/BBBBBBBBB/123456789123456789123456", { body: "b" }, () => ({
      status: 403,
      body: "ok",
    }));
    expect(report).toMatchObject({ isDelivered: false, problems: ["HTTP 403: ok"] });
  });
});

describe("matrix", () => {
  it("reports a refused login and sends nothing", async () => {
    const { report, received } = await sendThrough(
      "matrix://u:p4ssword@matrix.example.com",
      { body: "b" },
      ({ method }) =>
        method === "GET"
          ? { status: 200, body: '{"flows":[{"type":"m.login.password"}]}' }
          : { status: 403, body: '{"errcode":"M_FORBIDDEN"}' },
    );
    expect(report).toMatchObject({
      isDelivered: false,
      canRetry: false,
      problems: ['login: HTTP 403: {"errcode":"M_FORBIDDEN"}'],
    });
    expect(received).toHaveLength(2);
  });

  it("says when the server has no login with a password", async () => {
    const { report } = await sendThrough("matrix://u:p@matrix.example.com", { body: "b" }, () => ({
      status: 200,
      body: '{"flows":[{"type":"m.login.sso"}]}',
    }));
    expect(report.problems).toEqual(["the server offers no login with a password"]);
  });

  it("sends to a room by its id even if the join is refused", async () => {
    const { report, received } = await sendThrough(
      "matrix://:t0ken@matrix.example.com/?rooms=!a:h",
      { body: "b" },
      ({ url }) => (url.includes("/join/") ? { status: 403, body: "{}" } : { status: 200, body: "{}" }),
    );
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(received.map(({ method }) => method)).toEqual(["POST", "PUT"]);
  });

  it("keeps the transaction id when it tries again", async () => {
    const { received } = await sendThrough(
      "matrix://:t0ken@matrix.example.com/?rooms=!a:h",
      { body: "b" },
      ({ url }, index) =>
        index === 1 && url.includes("/send/") ? { status: 502 } : { status: 200, body: '{"room_id":"!a:h"}' },
    );
    expect(received).toHaveLength(3);
    expect(received[1]?.url).toBe(received[2]?.url);
  });
});

describe("signal", () => {
  it("sends to each kind of recipient alone where the server wants it so", async () => {
    const url = "signal://signal.example.com/+1/+2/group.AbC/d=/u:name.01/+3";
    const { report, received } = await sendThrough(url, { title: "T", body: "b" });
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(bodies(received).map((body) => body["recipients"])).toEqual([
      ["+2", "group.AbC/d=", "u:name.01", "+3"],
      ["+2", "+3"],
      ["u:name.01"],
      ["group.AbC/d="],
    ]);
    expect(bodies(received)[0]?.["message"]).toBe("T\nb");
  });
});

describe("pushover", () => {
  it("encrypts title and message when it has a key", async () => {
    const key = "00112233445566778899aabbccddeeff".repeat(2);
    const { received } = await sendThrough(`pushover://:t@u/?key=${key}`, { title: "Tïtle", body: "bödy" });
    const form = new URLSearchParams(received[0]?.body);
    const open = (name: string): string => {
      const bytes = Buffer.from(form.get(name) ?? "", "base64");
      const [sealed, proof] = [bytes.subarray(0, -32), bytes.subarray(-32)];
      expect(createHmac("sha256", Buffer.from(key, "hex")).update(sealed).digest()).toEqual(proof);
      const cipher = createDecipheriv("aes-256-cbc", Buffer.from(key, "hex"), sealed.subarray(0, 16));
      return gunzipSync(Buffer.concat([cipher.update(sealed.subarray(16)), cipher.final()])).toString("utf8");
    };
    expect([open("title"), open("message"), form.get("encrypted")]).toEqual(["Tïtle", "bödy", "1"]);
  });
});

describe("teams", () => {
  const ids = "11111111-4444-4444-8444-cccccccccccc@22222222-4444-4444-8444-cccccccccccc";
  const rest = "33333333012222222222333333333344/44444444-4444-4444-8444-cccccccccccc";

  it.each([
    [
      `teams://${ids}/${rest}/V2EXTRA-id_1?host=contoso.webhook.office.com`,
      `https://contoso.webhook.office.com/webhookb2/${ids}/IncomingWebhook/${rest}/V2EXTRA-id_1`,
    ],
    [
      `teams://11111111-4444-4444-8444-cccccccccccc@22222222-4444-4444-8444-cccccccccccc:33333333012222222222333333333344@44444444-4444-4444-8444-cccccccccccc`,
      `https://outlook.office.com/webhook/${ids}/IncomingWebhook/${rest}`,
    ],
    [
      "teams+https://a.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/x/triggers/manual/paths/invoke?api-version=1&sig=S%2Bx",
      "https://a.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/x/triggers/manual/paths/invoke?api-version=1&sig=S%2Bx",
    ],
  ])("%s", async (url, wanted) => {
    const { received } = await sendThrough(url, { body: "b" }, () => ({ status: 202 }));
    expect(received[0]?.url).toBe(wanted);
  });

  it("warns that the first two forms are retired, and posts to no foreign host", () => {
    expect(parseRoutes(`teams://${ids}/${rest}`).warnings.join()).toMatch(
      /^URL 1 of 1 \(teams\): Microsoft has retired/,
    );
    expect(parseRoutes(`teams://${ids}/${rest}?host=evil.example.com`).problems.join()).toMatch(/host must end with/);
    expect(parseRoutes("teams://?host=https%3A%2F%2Fevil.example.com%2Fworkflows%2Fx").routes).toEqual([]);
  });
});

describe("zulip", () => {
  it("sends direct messages", async () => {
    const { received } = await sendThrough(
      "zulip://b%40x:k@zulip.example.com/?type=direct&to=a@x,b@x&read_by_sender=yes",
      { title: "T", body: "b" },
    );
    expect(Object.fromEntries(new URLSearchParams(received[0]?.body))).toEqual({
      type: "direct",
      to: '["a@x","b@x"]',
      read_by_sender: "true",
      content: "T\n\nb",
    });
  });
});

describe("generic", () => {
  it("sends a body with the method of the user's choice, and follows a redirect to another host without credentials", async () => {
    const { report, received } = await sendThrough(
      "generic://u:p@hook.example.com/a?method=GET&@X-Token=t",
      { body: "b" },
      ({ url }) =>
        url.endsWith("/a") ? { status: 307, headers: { location: "https://other.example.com/b" } } : { status: 200 },
    );
    expect(report.isDelivered).toBe(true);
    expect(received.map(({ method, body }) => `${method} ${body}`)).toEqual(["GET b", "GET b"]);
    expect(received[1]?.headers["authorization"]).toBeUndefined();
    expect(received[1]?.headers["x-token"]).toBeUndefined();
  });

  it("keeps credentials over a redirect at the same host, such as one to https", async () => {
    const { report, received } = await sendThrough(
      "generic://u:p@hook.example.com/a?disabletls=yes&@X-Token=t",
      { body: "b" },
      ({ url }) =>
        url.startsWith("http:")
          ? { status: 308, headers: { location: "https://hook.example.com/a" } }
          : { status: 200 },
    );
    expect(report.isDelivered).toBe(true);
    expect(received[1]).toMatchObject({
      method: "POST",
      url: "https://hook.example.com/a",
      headers: { authorization: `Basic ${Buffer.from("u:p").toString("base64")}`, "x-token": "t" },
      body: "b",
    });
  });

  it("is delivered once where the answer says so and then breaks off", async () => {
    const { report, received } = await sendThrough("generic://hook.example.com/a", { body: "b" }, () => ({
      status: 200,
      body: "th",
      breaksOff: true,
    }));
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
    expect(received).toHaveLength(1);
  });

  it("says the status of an answer that breaks off", async () => {
    const { report } = await sendThrough("generic://hook.example.com/a", { body: "b" }, () => ({
      status: 403,
      body: "no entr",
      breaksOff: true,
    }));
    expect(report).toMatchObject({ isDelivered: false, canRetry: false, problems: ["HTTP 403: no entr"] });
  });

  it.each([
    [304, "HTTP 304"],
    [301, "HTTP 301"],
    [404, "HTTP 404"],
  ])("takes %i for a failure", async (status, problem) => {
    const { report } = await sendThrough("generic://hook.example.com/a", { body: "b" }, () => ({ status }));
    expect(report.problems[0]).toContain(problem);
  });

  it("turns a POST into a GET where a redirect means that, and gives up on a circle", async () => {
    const { report: followed, received } = await sendThrough("generic://hook.example.com/a", { body: "b" }, ({ url }) =>
      url.endsWith("/a") ? { status: 302, headers: { location: "/b" } } : { status: 200 },
    );
    expect(received.map(({ method, body }) => `${method} ${body}`)).toEqual(["POST b", "GET "]);
    expect(followed).toMatchObject({
      isDelivered: true,
      problems: [expect.stringMatching(/redirect dropped the text/)],
    });
    const { report } = await sendThrough("generic://hook.example.com/a", { body: "b" }, () => ({
      status: 307,
      headers: { location: "/a" },
    }));
    expect(report).toMatchObject({ isDelivered: false, canRetry: false, problems: ["more than 10 redirects"] });
  });

  it("does not follow a redirect from https to http", async () => {
    const { report } = await sendThrough("generic://hook.example.com/a", { body: "b" }, () => ({
      status: 307,
      headers: { location: "http://hook.example.com/b" },
    }));
    expect(report.problems[0]).toMatch(/redirect from https to http/);
  });

  it("uses the title of the URL only when the sender gives none", async () => {
    const url = "generic://hook.example.com/a?template=json&title=U";
    const titles = await Promise.all(
      [{ body: "b" }, { body: "b", title: "S" }].map((message) => sendThrough(url, message)),
    );
    expect(titles.map(({ received }) => bodies(received)[0]?.["title"])).toEqual(["U", "S"]);
  });

  it("forwards raw semicolons and refuses bad escapes", async () => {
    const { received } = await sendThrough("generic://hook.example.com/a%2Fb?x=1;2&z", { body: "b" });
    expect(received[0]?.url).toBe("https://hook.example.com/a%2Fb?x=1%3B2&z=");
    expect(parseRoutes("generic://h/p?x=50%").routes).toEqual([]);
    expect(parseRoutes("generic://h/p?=x").routes).toEqual([]);
  });
});

describe("notifiarr", () => {
  it("keeps all digits of a channel, and reads the key out of a custom URL", async () => {
    const { received } = await sendThrough(
      "notifiarr+https://x.test/api/v1/notification/passthrough/k3y?channel=123456789012345678",
      { body: "b" },
    );
    expect(received[0]?.url).toBe("https://notifiarr.com/api/v1/notification/passthrough/k3y");
    expect(received[0]?.body).toContain('"channel":123456789012345678');
  });
});

describe("pagerduty", () => {
  it("has the text as details beside the title, and links and images", async () => {
    const key = "0".repeat(32);
    const { received } = await sendThrough(
      `pagerduty:///${key}?contexts=link:https://a.test,image:https://b.test/i.png&details=%7B%22a%22:1%7D`,
      { title: "T", body: "b" },
    );
    expect(bodies(received)[0]).toMatchObject({
      payload: { summary: "T", custom_details: { message: "b", a: 1 } },
      links: [{ href: "https://a.test" }],
      images: [{ src: "https://b.test/i.png" }],
    });
  });
});

describe("ifttt", () => {
  it("reads the places of title and text as all whole numbers, hexadecimal too", async () => {
    const { received } = await sendThrough("ifttt://k/?events=a&titlevalue=0x1&messagevalue=%233", {
      title: "t",
      body: "b",
    });
    expect(bodies(received)).toEqual([{ value1: "t", value2: "", value3: "b" }]);
    for (const query of ["messagevalue=0", "messagevalue=4", "titlevalue=4", "titlevalue=2"])
      expect(parseRoutes(`ifttt://k/?events=a&${query}`).routes).toEqual([]);
  });
});

describe("join", () => {
  it("reads the failure in a good answer", async () => {
    const { report } = await sendThrough("join://:k3y-s@join/?devices=d", { body: "b" }, () => ({
      status: 200,
      body: '{"success":false,"errorMessage":"User Not Authenticated"}',
    }));
    expect(report.isDelivered).toBe(false);
    expect(report.problems[0]).toMatch(/^HTTP 200: User Not Authenticated/);
  });
});

describe("ntfy", () => {
  it("does not take a web page behind a redirect for a receipt", async () => {
    const { report, received } = await sendThrough("ntfy://ntfy.example.com/t?scheme=http", { body: "b" }, ({ url }) =>
      url.startsWith("http:")
        ? { status: 301, headers: { location: "https://ntfy.example.com/t" } }
        : { status: 200, body: "<html>" },
    );
    expect(received.map(({ method }) => method)).toEqual(["POST", "GET"]);
    expect(report).toMatchObject({ isDelivered: false, canRetry: false });
    expect(report.problems.join()).toMatch(/redirect dropped the text/);
  });

  it("has text beyond ASCII in its headers as UTF-8, on one line", async () => {
    const { received } = await sendThrough("ntfy://ntfy.example.com/t", { title: "Größe\r\nX-Evil: 1 ✅", body: "b" });
    expect(received[0]?.headers).toMatchObject({ title: "Größe X-Evil: 1 ✅" });
    expect(received[0]?.headers["x-evil"]).toBeUndefined();
  });

  it.each([200, 202])("takes %i without JSON for a success", async (status) => {
    const { report } = await sendThrough("ntfy://ntfy.example.com/t", { body: "b" }, () => ({ status, body: "fine" }));
    expect(report.isDelivered).toBe(true);
  });
});
