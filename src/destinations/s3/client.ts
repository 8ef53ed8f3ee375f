import * as http from "node:http";
import * as https from "node:https";
import { Readable } from "node:stream";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { createRedactor, type Redactor } from "../../lib/redact.ts";
import { CONNECT_MS, IDLE_MS, SMALL_CALL_MS } from "../limits.ts";
import { throughProxy } from "../proxy.ts";
import { tlsOptions } from "../tls.ts";
import { addressOf } from "./endpoint.ts";
import { isRefusal, regionNamedBy, type WithRefusalText } from "./errors.ts";
import type { S3Options } from "./options.ts";
import { roleCredentials } from "./role-credentials.ts";

/** Parts in flight, and the small calls beside them. */
const SOCKETS = 16;

/** The store as calls see it. */
export interface Connection {
  /**
   * Calls `work` with a client, and again with that of another region when the store says that this is where the bucket
   * lies and the user named none, or once more by the store's clock when this machine's is too far off. `patient` waits longer in silence: some stores take minutes to put an object together.
   */
  run<T>(work: (client: S3Client) => Promise<T>, patience?: "patient"): Promise<T>;
  close(): void;
}

/** Connects to nothing until the first call. */
export function createConnection(options: S3Options): Connection {
  const agentOptions = {
    keepAlive: true,
    maxSockets: SOCKETS,
    ...throughProxy(new URL(addressOf(options.host, options.isHttps, options.region.name))),
  };
  const agents = {
    httpAgent: new http.Agent(agentOptions),
    // An agent of our own: from the plain object that the SDK takes as well, some requests went out without its `ca`.
    httpsAgent: new https.Agent({ ...agentOptions, ...tlsOptions(options.trust) }),
  };
  const clients = new Map<string, S3Client>();
  let region = options.region.name;
  const clientFor = (idleMs: number): S3Client => {
    const key = `${region} ${idleMs}`;
    const client = clients.get(key) ?? createClient(options, region, { ...agents, socketTimeout: idleMs });
    clients.set(key, client);
    return client;
  };
  return {
    async run(work, patience) {
      const idleMs = patience === "patient" ? SMALL_CALL_MS : IDLE_MS;
      const asked = region;
      try {
        return await work(clientFor(idleMs));
      } catch (error) {
        const named = options.region.isGiven ? undefined : regionNamedBy(error);
        const isElsewhere = named !== undefined && named !== asked;
        // The SDK has taken the store's time from this answer.
        if (!isElsewhere && !isRefusal(error, "RequestTimeTooSkewed")) throw error;
        if (isElsewhere) region = named;
        return await work(clientFor(idleMs));
      }
    },
    close() {
      for (const client of clients.values()) client.destroy();
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

interface HandlerOptions {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  readonly socketTimeout: number;
}

/** Nothing of it is read from the process's environment but the default chain of credentials. */
function createClient(options: S3Options, region: string, handler: HandlerOptions): S3Client {
  const credentials = credentialsOf(options);
  const client = new S3Client({
    region,
    endpoint: addressOf(options.host, options.isHttps, region),
    forcePathStyle: options.isPathStyle,
    ...(credentials === undefined ? {} : { credentials }),
    requestHandler: { ...handler, connectionTimeout: CONNECT_MS, requestTimeout: 0 },
    // Older stores refuse the newer checksum headers; every body carries its MD5 instead.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    customUserAgent: "lifeboat",
  });
  client.middlewareStack.add(keepRefusalText, { step: "deserialize", priority: "low", name: "keepRefusalText" });
  return client;
}

/** Refusals are short; of anything else only the beginning is of use. */
const MOST_REFUSAL_BYTES = 64 * 1024;

/**
 * Closest to the wire: reads a refusal's body before the SDK does, and leaves it there, without what the request told of
 * credentials. Those of a role are in no setting, so nothing else knows them.
 */
const keepRefusalText: Parameters<S3Client["middlewareStack"]["add"]>[0] = (next) => async (args) => {
  const result = await next(args);
  const { response } = result as { readonly response: RefusalResponse };
  if (response.statusCode < 300 || !(response.body instanceof Readable)) return result;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    if ((bytes += chunk.length) > MOST_REFUSAL_BYTES) break;
  }
  const text = redactorOf(args.request as SignedRequest)(Buffer.concat(chunks).toString("utf8"));
  response.body = Readable.from([Buffer.from(text)]);
  response.refusalText = text;
  return result;
};

interface SignedRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
}

function redactorOf({ headers }: SignedRequest): Redactor {
  const keyId = /Credential=([^/]+)/.exec(headers["authorization"] ?? "")?.[1];
  return createRedactor([keyId, headers["x-amz-security-token"]].filter((secret) => secret !== undefined));
}

interface RefusalResponse extends WithRefusalText {
  readonly statusCode: number;
  body?: unknown;
}

function credentialsOf(options: S3Options): S3ClientConfig["credentials"] {
  const { credentials } = options;
  if (credentials.kind === "keys") {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  }
  return credentials.kind === "role" ? () => roleCredentials(credentials.endpoint) : undefined;
}
