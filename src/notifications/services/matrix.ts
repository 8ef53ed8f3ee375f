import { createHash, randomUUID } from "node:crypto";
import { type Answer, type HttpRequest, httpService, type Outcome } from "../service.ts";
import { jsonObject, postJson, titleOf } from "../requests.ts";
import { cutText, inJsonBytes, titled } from "../cut.ts";
import { requireHost } from "../url/go-url.ts";
import { encodePart } from "../url/percent.ts";
import { flag, parsed, type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import { UserError } from "../../lib/errors.ts";

const PROPS = {
  rooms: parsed<readonly string[]>([], readRooms, "room"),
  disabletls: flag(false),
  title: text(),
};

/** An event may have 65536 bytes of JSON, all around the text included. */
const BODY_BYTES = 60_000;
const DEADLINE_MS = 30_000;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

interface Config {
  readonly api: string;
  readonly host: string;
  /** Empty: the password is an access token. */
  readonly user: string;
  readonly password: string;
  readonly props: PropValues<typeof PROPS>;
}

type Steps<T> = Generator<HttpRequest, T, Outcome>;

export const matrix = httpService<Config>({
  name: "matrix",
  schemes: ["matrix"],
  parse(url) {
    const props = readProps(url, PROPS);
    const host = requireHost(url);
    const { user = "", password } = url;
    if (password === undefined || (user === "" && password === ""))
      reject("has no password or access token: write user:password@host or :TOKEN@host after matrix://");
    const api = `${props.disabletls ? "http" : "https"}://${host}/_matrix/client/v3`;
    return { api, host, user, password, props };
  },
  deadlineMs: () => DEADLINE_MS,
  *requests(config, message) {
    const token = config.user === "" ? config.password : yield* logIn(config);
    if (token === undefined) return;
    const authorization = { Authorization: `Bearer ${token}` };
    const body = cutText(titled(titleOf(message, config.props.title), message.body, "\n\n"), BODY_BYTES, inJsonBytes);
    const named = config.props.rooms;
    const rooms = named.length > 0 ? named : yield* joinedRooms(config, authorization);
    for (const [index, room] of rooms.entries()) {
      // A place in the URL stays the same from try to try; of joined rooms only the id does.
      const target = named.length === 0 ? `room ${room}` : `room ${index + 1}`;
      const roomId = named.length === 0 ? room : yield* join(config, room, target, authorization);
      if (roomId === undefined) continue;
      yield {
        ...postJson(
          `${config.api}/rooms/${encodePart(roomId)}/send/m.room.message/${randomUUID()}`,
          { msgtype: "m.text", body },
          authorization,
        ),
        method: "PUT",
        target,
      };
    }
  },
  retryAfterMs(answer) {
    const ms = jsonObject(answer)?.["retry_after_ms"];
    return typeof ms === "number" ? ms : undefined;
  },
  refusal: (answer) => (jsonObject(answer) === undefined ? "the answer is no JSON object" : undefined),
});

/** The access token, or undefined where the server refused, which is reported by then. */
function* logIn({ api, host, user, password }: Config): Steps<string | undefined> {
  const url = `${api}/login`;
  const flows = yield { method: "GET", url, headers: {}, target: "login", isStep: true };
  if (!flows.isOk) return undefined;
  const offered = listOf(flows.answer, "flows").map((flow) => (flow as Readonly<Record<string, unknown>>)["type"]);
  if (!offered.includes("m.login.password")) throw new UserError("the server offers no login with a password");
  const login = yield {
    ...postJson(url, {
      type: "m.login.password",
      identifier: { type: "m.id.user", user },
      password,
      device_id: deviceId(user, host),
    }),
    target: "login",
    isStep: true,
  };
  return login.isOk ? textOf(login.answer, "access_token") : undefined;
}

/** Always the same, so that repeated logins don't pile up devices; as the senders that users come from make it. */
function deviceId(user: string, host: string): string {
  const bytes = createHash("sha256").update(`${user}:${host}`).digest().subarray(0, 8);
  return `SH${[...bytes].map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("")}`;
}

function* joinedRooms({ api }: Config, headers: Record<string, string>): Steps<readonly string[]> {
  const { isOk, answer } = yield {
    method: "GET",
    url: `${api}/joined_rooms`,
    headers,
    target: "list of rooms",
    isStep: true,
  };
  if (!isOk) return [];
  const rooms = listOf(answer, "joined_rooms").filter((room) => typeof room === "string");
  if (rooms.length === 0) throw new UserError("the account is in no room; name one with ?rooms=");
  return rooms;
}

/** The room's id. Joining a room by its id accepts a pending invitation; a failure of that alone says nothing yet. */
function* join(
  { api }: Config,
  room: string,
  target: string,
  headers: Record<string, string>,
): Steps<string | undefined> {
  const isId = room.startsWith("!");
  const { isOk, answer } = yield {
    ...postJson(`${api}/join/${encodePart(room)}`, {}, headers),
    target,
    isStep: true,
    mayFail: isId,
  };
  return isOk ? textOf(answer, "room_id") : isId ? room : undefined;
}

function listOf(answer: Answer | undefined, member: string): readonly unknown[] {
  const list = answer === undefined ? undefined : jsonObject(answer)?.[member];
  return Array.isArray(list) ? list : [];
}

function textOf(answer: Answer | undefined, member: string): string {
  const value = answer === undefined ? undefined : jsonObject(answer)?.[member];
  if (typeof value === "string" && value !== "") return value;
  throw new UserError(`the server's answer has no ${member}`);
}

/** Names without `#` or `!` are aliases. */
function readRooms(given: string): readonly string[] {
  return given.split(",").map((part) => {
    const room = part.trim();
    if (room === "") reject("must not have empty names; # is written %23");
    return /^[#!]/.test(room) ? room : `#${room}`;
  });
}
