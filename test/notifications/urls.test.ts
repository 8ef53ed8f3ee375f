import { describe, expect, it } from "vitest";
import { proveValue } from "../../src/config/deep-checks.ts";
import { createRedactor } from "../../src/lib/redact.ts";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { NOTIFICATION_URLS } from "../../src/notifications/settings.ts";
import { parseGoUrl } from "../../src/notifications/url/go-url.ts";
import { UrlProblem } from "../../src/notifications/url/problem.ts";

describe("URLs as Go reads them", () => {
  it("keep the case of the host and split user info at the last @ and the first colon", () => {
    expect(parseGoUrl("NTFY://us%40er:pa:s@s@HoSt.Example:8080/a/../b//c?x=1#f%20g")).toMatchObject({
      scheme: "ntfy",
      user: "us@er",
      password: "pa:s@s",
      host: "HoSt.Example:8080",
      hostname: "HoSt.Example",
      port: 8080,
      path: "/a/../b//c",
      fragment: "f g",
    });
  });

  it("tell an empty password from none, and no path from a slash", () => {
    expect(parseGoUrl("x://u:@h")).toMatchObject({ password: "", path: "" });
    expect(parseGoUrl("x://u@h/")).toMatchObject({ password: undefined, path: "/" });
  });

  it("may have neither host nor path", () => {
    expect(parseGoUrl("logger:")).toMatchObject({ isOpaque: true, host: "", path: "" });
    expect(parseGoUrl("logger://")).toMatchObject({ isOpaque: false, host: "", path: "" });
  });

  it("take IPv6 addresses in brackets", () => {
    expect(parseGoUrl("ntfy://[::1]:8080/t")).toMatchObject({ host: "[::1]:8080", hostname: "::1", port: 8080 });
  });

  it("have + as a blank in the query only, and keep ; there", () => {
    const { query, path, user } = parseGoUrl("x://a+b@h/p+q?k=a+b%2Bc&k=;d;&e");
    expect({ path, user }).toEqual({ path: "/p+q", user: "a+b" });
    expect(query).toEqual([
      ["k", "a b+c"],
      ["k", ";d;"],
      ["e", ""],
    ]);
  });

  it.each([
    ["x://h/\u0007", /control character/],
    ["://h", /does not begin with a service/],
    ["x_y://h", /does not begin with a service/],
    ["hunter2", /does not begin with a service/],
    ["x://us^er@h/", /must be percent-encoded/],
    ["x://user:pa/ss@h/", /port/],
    ["x://h:abc/", /port/],
    ["x://h:70000/", /port/],
    ["x://h:0/", /port/],
    ["x://h%41/", /percent escape in the host/],
    ["x://h^h/", /character in the host/],
    ["x://[::1/t", /\[ \]/],
    ["x://h/%zz", /% in the path/],
    ["x://h/?title=50%", /% in the query/],
    ["x://u%4@h/", /% in the user name/],
    ["x://h/#%", /% in the fragment/],
  ])("refuses %j without showing it", (url, reason) => {
    const thrown = (): unknown => parseGoUrl(url);
    expect(thrown).toThrow(UrlProblem);
    expect(thrown).toThrow(reason);
    expect(thrown).not.toThrow(/hunter2|us\^er|pa\/ss/);
  });
});

it("a web address is no URL of a service, and it is said how to use one", () => {
  expect(parseRoutes("https://hooks.example/hunter2").problems).toEqual([
    "URL 1 of 1 (https): is a web address; for a webhook write generic+https://",
  ]);
});

describe("lists of URLs", () => {
  const labels = (list: string): string[] => parseRoutes(list).routes.map(({ label }) => label);

  it("forgive blanks, line breaks at the end, empty pieces and repetitions", () => {
    expect(labels(" ntfy://a/t , ,gotify://h/AzyoeNS.D4iJLVa,,ntfy://a/t\n,")).toEqual(["ntfy 1", "gotify 2"]);
  });

  it.each([
    "ntfy://a/t\nlogger://",
    "ntfy://a/t logger://",
    "\n  ntfy://a/t,\n  logger://\n",
    "ntfy://a/t?tags=x\r\n\tlogger://",
  ])("may have a URL on each line, or blanks between them: %j", (list) => {
    expect(labels(list)).toEqual(["ntfy 1", "logger 2"]);
    expect(parseRoutes(list).problems).toEqual([]);
  });

  it("refuse a line break that no URL follows", () => {
    expect(parseRoutes("ntfy://a/to\npic").problems).toEqual([
      "URL 1 of 1 (ntfy): has a control character (a tab or line break) in it",
    ]);
  });

  it.each(["smtp://h/?from=a@x.test&to=b@x.test", "generic://h/p?x=1", "ntfy://h/t?click=https://x.test"])(
    "never take a pasted web address for a part of the URL before it: %s",
    (url) => {
      const { routes, problems } = parseRoutes(`${url},https://discord.com/api/webhooks/1/s3cret`);
      expect(routes).toHaveLength(1);
      expect(problems.join()).toMatch(/^URL 2 of 2 \(https\): is a web address/);
    },
  );

  it("decode %2C only inside a URL", () => {
    expect(labels("telegram://1:a@telegram?chats=@a%2C@b,logger:")).toEqual(["telegram 1", "logger 2"]);
  });

  it.each([
    ["ifttt://k/?events=a,b,logger://", ["ifttt 1", "logger 2"]],
    ["opsgenie://h/k?responders=team:A,user:B,ntfy://h/t", ["opsgenie 1", "ntfy 2"]],
    ["ntfy://h/t?actions=view, Open, https://x.test,logger:", ["ntfy 1", "logger 2"]],
  ])("forgive a comma in a query: %s", (list, wanted) => {
    expect(labels(list)).toEqual(wanted);
    expect(parseRoutes(list).problems).toEqual([]);
  });

  it("report each bad one by place and service, and use the others", () => {
    const { routes, problems } = parseRoutes(
      "ntfy://h,foo://hunter2,gotify://h/hunter2,https://hunter2/x,ntfy://h/t?priority=hunter2,hunter2,logger://",
    );
    expect(routes.map(({ label }) => label)).toEqual(["logger 7"]);
    expect(problems).toHaveLength(6);
    expect(problems[0]).toBe("URL 1 of 7 (ntfy): has no topic: write ntfy://host/topic");
    expect(problems[1]).toMatch(/^URL 2 of 7 \(foo\): no service is called so; there are bark, discord, /);
    expect(problems[4]).toBe("URL 5 of 7 (ntfy): priority must be one of Min, Low, Default, High, Max");
    expect(problems[5]).toMatch(/^URL 6 of 7: does not begin with a service/);
    expect(problems.join()).not.toContain("hunter2");
  });

  it.each([
    "generic:",
    "ntfy:/x",
    "ntfy:///t",
    "mattermost:///t",
    "rocketchat:///a/b",
    "opsgenie://h/",
    "googlechat://h/p?key=&token=t",
  ])("refuse %s when they are read", (url) => expect(parseRoutes(url).routes).toEqual([]));

  it("explain what is missing in words that the log's redaction leaves alone", () => {
    const { problems } = parseRoutes(
      "bark://h,discord://1,join://h/?devices=d,matrix://h,pushover://h,slack://x@y,telegram://x@t?chats=a,twilio://h/1,zulip://h",
    );
    expect(problems).toHaveLength(9);
    expect(problems.map(createRedactor([]))).toEqual(problems);
  });

  it("give warnings to the configuration's check, never an error", async () => {
    const context = { expand: false, environment: {} };
    const proven = await proveValue(NOTIFICATION_URLS, "ntfy://h,logger://", context);
    expect(proven.warnings).toEqual(["URL 1 of 2 (ntfy): has no topic: write ntfy://host/topic"]);
    const many = Array.from({ length: 3000 }, (_, index) => `ntfy://host.example/topic-${index}`).join(",");
    expect((await proveValue(NOTIFICATION_URLS, many, context)).warnings).toEqual([]);
  });
});

describe("properties", () => {
  const problemOf = (url: string): string | undefined => parseRoutes(url).problems[0];

  it.each([
    ["true", "1", "YES", "y"],
    ["false", "0", "No", "n"],
  ])("yes-and-no words in any case: %s, %s, %s, %s", (...words) => {
    for (const word of words) expect(problemOf(`gotify://h/AzyoeNS.D4iJLVa?disabletls=${word}`)).toBeUndefined();
  });

  it.each([
    ["gotify://h/AzyoeNS.D4iJLVa?disabletls=", /disabletls must be one of/],
    ["gotify://h/AzyoeNS.D4iJLVa?priority=high", /priority must be a whole number/],
    ["gotify://h/AzyoeNS.D4iJLVa?priority=5x", /priority must be a whole number/],
    ["gotify://h/AzyoeNS.D4iJLVa?priority=99999999999", /priority must be from/],
    ["discord://t@1?color=red", /color must be a whole number/],
    ["discord://t@1?color=0x1000000", /color must be from 0/],
    ["matrix://u:p@h/?rooms=a,,b", /rooms must not have empty names/],
    ["opsgenie://h/k?details=a:b:c", /details must be pairs/],
    ["bark://:k@h/?foo=bar", /foo is no property of it; there are badge, /],
    ["signal://h/+1/+2?to%20ken%20=x", /a key in the query is no property/],
    ["smtp://h/?from=a@x&to=b@x&timeout=10", /timeout must be a duration/],
    ["smtp://h/?from=a%0D%0AX@x&to=b@x", /from must be plain mail addresses/],
    ["mqtt://h/a/%23", /\+ or #/],
    ["notifiarr://k?channel=general", /channel must be the number/],
  ])("%s", (url, reason) => expect(problemOf(url.replaceAll(",", "%2C"))).toMatch(reason));

  it("count once: the first of repeated ones and of several names", () => {
    expect(problemOf("gotify://h/AzyoeNS.D4iJLVa?priority=1&PRIORITY=x")).toBeUndefined();
    expect(problemOf("telegram://1:a@t?channels=@a&chats=")).toBeUndefined();
  });
});
