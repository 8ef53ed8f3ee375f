import { createHash, randomBytes } from "node:crypto";

/** A challenge of `WWW-Authenticate`: its scheme in lower case and its parameters. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const PARAMETER = /^[\s,]*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/;
const SCHEME = /^[\s,]*([\w!#$%&'*+.^`|~-]+)(?=[\s,]|$)/;

/** Several challenges may stand in one header, and several headers may come: both look alike here. */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  for (let rest = header; rest.trim() !== "";) {
    const current = found.at(-1);
    const parameter = current === undefined ? null : PARAMETER.exec(rest);
    const scheme = SCHEME.exec(rest);
    if (current !== undefined && parameter !== null) {
      const [, name = "", quoted, plain = ""] = parameter;
      current.parameters[name.toLowerCase()] = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, "$1");
      rest = rest.slice(parameter[0].length);
    } else if (scheme !== null) {
      found.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters: {} });
      rest = rest.slice(scheme[0].length);
    } else {
      return found;
    }
  }
  return found;
}

const HASHES: Readonly<Record<string, string>> = {
  md5: "md5",
  "sha-256": "sha256",
  "sha-512-256": "sha512-256",
};

export interface Digest {
  /** The `Authorization` header for one request; every call counts on. */
  authorize(method: string, uri: string): string;
}

/** Strongest first; undefined where none of the challenges can be answered (RFC 7616: MD5, SHA-256, SHA-512/256, `auth`). */
export function createDigest(
  challenges: readonly Challenge[],
  user: string,
  password: string,
  random: () => string = () => randomBytes(16).toString("hex"),
): Digest | undefined {
  const usable = challenges
    .filter(
      ({ scheme, parameters }) => scheme === "digest" && hashOf(parameters) !== undefined && offersAuth(parameters),
    )
    .toSorted((a, b) => strengthOf(b.parameters) - strengthOf(a.parameters))[0];
  if (usable === undefined) return undefined;
  const { realm = "", nonce = "", opaque, algorithm, qop } = usable.parameters;
  const hash = (text: string): string =>
    createHash(hashOf(usable.parameters) ?? "md5")
      .update(text, "latin1")
      .digest("hex");
  const cnonce = random();
  const name = asHeader(user);
  const plainKey = hash(`${name}:${realm}:${asHeader(password)}`);
  const key = /-sess$/i.test(algorithm ?? "") ? hash(`${plainKey}:${nonce}:${cnonce}`) : plainKey;
  let count = 0;
  return {
    authorize(method, uri) {
      count += 1;
      const nc = count.toString(16).padStart(8, "0");
      const request = hash(`${method}:${uri}`);
      const response =
        qop === undefined
          ? hash(`${key}:${nonce}:${request}`)
          : hash(`${key}:${nonce}:${nc}:${cnonce}:auth:${request}`);
      return [
        `Digest username=${quote(name)}`,
        `realm=${quote(realm)}`,
        `nonce=${quote(nonce)}`,
        `uri=${quote(uri)}`,
        `response="${response}"`,
        ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
        ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
        ...(qop === undefined ? [] : ["qop=auth", `nc=${nc}`, `cnonce="${cnonce}"`]),
      ].join(", ");
    },
  };
}

function hashOf(parameters: Challenge["parameters"]): string | undefined {
  return HASHES[(parameters["algorithm"] ?? "MD5").toLowerCase().replace(/-sess$/, "")];
}

function strengthOf(parameters: Challenge["parameters"]): number {
  return Object.values(HASHES).indexOf(hashOf(parameters) ?? "");
}

/** Without `qop` it is the older form; `auth-int` alone would need the whole body before its first byte is sent. */
function offersAuth({ qop }: Challenge["parameters"]): boolean {
  return qop === undefined || qop.split(",").some((offer) => offer.trim().toLowerCase() === "auth");
}

/** Header values are bytes, one in each character, as the server's own are given here: what is not ASCII goes as UTF-8. */
function asHeader(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
