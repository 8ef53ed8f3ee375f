import { DestinationError, messageOf } from "../../lib/errors.ts";
import { connectionFailure } from "../connection-errors.ts";

/** In the shape that the SDK takes; it asks again before `expiration`. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

const CALL_MS = 5_000;
/** The service answers at once or never. */
const SESSION_MS = 2_000;
const TOKEN_SECONDS = "21600";
const ROLES_PATH = "/latest/meta-data/iam/security-credentials/";
const HINT = "see AWS_IAM_ROLE_ENDPOINT, and whether a role is attached to this machine or task";

/**
 * Credentials of the role that is attached to an EC2 machine or an ECS task, from `AWS_IAM_ROLE_ENDPOINT`. An endpoint with a
 * path of its own, or `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` beside it, is asked as ECS is; any other as EC2 is, with
 * a session token where the service gives one.
 */
export async function roleCredentials(
  endpoint: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<RoleCredentials> {
  const base = new URL(endpoint);
  const relative = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  try {
    if (relative !== undefined && relative !== "") return parse(await ask(new URL(relative, base), {}));
    if (base.pathname !== "/") {
      const token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
      return parse(await ask(base, token === undefined ? {} : { authorization: token }));
    }
    const headers = await sessionHeaders(base);
    const roles = await ask(new URL(ROLES_PATH, base), headers);
    const role = roles.split("\n")[0]?.trim() ?? "";
    if (role === "")
      throw new DestinationError("denied", `no role is attached: ${base.host} names none`, { hint: HINT });
    return parse(await ask(new URL(`${ROLES_PATH}${encodeURIComponent(role)}`, base), headers));
  } catch (error) {
    if (error instanceof DestinationError) throw error;
    const failure = connectionFailure(error);
    throw new DestinationError(
      "unavailable",
      `cannot get the role's credentials from ${base.host}: ${failure?.text ?? messageOf(error)}`,
      { hint: HINT, cause: error },
    );
  }
}

/**
 * Version 2 of the service wants a token; one that has no such call is asked without, and so is one from which no token
 * comes: to a container its answer is one network hop too far, unless the machine's hop limit was raised.
 */
async function sessionHeaders(base: URL): Promise<Record<string, string>> {
  try {
    const answer = await fetch(new URL("/latest/api/token", base), {
      method: "PUT",
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS },
      signal: AbortSignal.timeout(SESSION_MS),
    });
    const token = (await answer.text()).trim();
    return answer.ok && token !== "" ? { "x-aws-ec2-metadata-token": token } : {};
  } catch (error) {
    if (connectionFailure(error)?.kind === "silent") return {};
    throw error;
  }
}

async function ask(address: URL, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(address, { headers, signal: AbortSignal.timeout(CALL_MS) });
  const text = await answer.text();
  if (answer.ok) return text;
  const code = answer.status >= 500 || answer.status === 429 ? "unavailable" : "denied";
  throw new DestinationError(
    code,
    `cannot get the role's credentials: ${address.host}${address.pathname} answered ${answer.status}`,
    { hint: HINT },
  );
}

function parse(text: string): RoleCredentials {
  const fields = fieldsOf(text);
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = fields;
  if (typeof AccessKeyId !== "string" || typeof SecretAccessKey !== "string") {
    throw new DestinationError("denied", "the answer of AWS_IAM_ROLE_ENDPOINT holds no credentials", { hint: HINT });
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(Token === undefined ? {} : { sessionToken: Token }),
    ...(Expiration === undefined ? {} : { expiration: new Date(Expiration) }),
  };
}

/** A parser's own message would quote the answer, and with it the secret. */
function fieldsOf(text: string): Partial<Record<"AccessKeyId" | "SecretAccessKey" | "Token" | "Expiration", string>> {
  try {
    return (JSON.parse(text) ?? {}) as ReturnType<typeof fieldsOf>;
  } catch {
    throw new DestinationError("unavailable", "the answer of AWS_IAM_ROLE_ENDPOINT is no JSON", { hint: HINT });
  }
}
