import type { Received, Reply } from "./wire.ts";

/** What a service answers when it took the message. */
export function goodReply({ url }: Received): Reply {
  const { hostname, pathname } = new URL(url);
  const answers: readonly (readonly [boolean, Reply])[] = [
    [hostname === "discord.com", { status: 204 }],
    [hostname === "hooks.slack.com", { status: 200, body: "ok" }],
    [hostname === "slack.com" || hostname === "api.telegram.org", { status: 200, body: '{"ok":true,"result":{}}' }],
    [hostname === "api.twilio.com", { status: 201, body: '{"sid":"SM1"}' }],
    [hostname === "events.pagerduty.com", { status: 202, body: '{"status":"success"}' }],
    [hostname === "qyapi.weixin.qq.com", { status: 200, body: '{"errcode":0,"errmsg":"ok"}' }],
    [pathname.startsWith("/open-apis/bot/"), { status: 200, body: '{"code":0,"msg":"success"}' }],
    [pathname.endsWith("/push"), { status: 200, body: '{"code":200,"message":"success"}' }],
    [pathname.includes("/_matrix/client/"), matrix(pathname)],
    [hostname === "api.pushover.net", { status: 200, body: '{"status":1}' }],
  ];
  return answers.find(([isIt]) => isIt)?.[1] ?? { status: 200, body: "{}" };
}

function matrix(pathname: string): Reply {
  if (pathname.includes("/join/")) return { status: 200, body: '{"room_id":"!x:matrix.example.com"}' };
  if (pathname.endsWith("/joined_rooms"))
    return { status: 200, body: '{"joined_rooms":["!a:matrix.example.com","!b:matrix.example.com"]}' };
  return { status: 200, body: '{"event_id":"$1","access_token":"syt_TOKEN","flows":[{"type":"m.login.password"}]}' };
}
