import { createHash } from "node:crypto";
import { expect } from "vitest";
import type {
  Area,
  Destination,
  DestinationErrorCode,
  DestinationKind,
  JobTag,
  StoredObject,
} from "../../src/contracts/destination.ts";
import { DestinationError } from "../../src/lib/errors.ts";

/** One store of one kind, empty at first. */
export interface ConformanceStore {
  /** A destination in that store under a folder (prefix) of its own; `site` and `site2` must not meet. */
  open(prefix: string): Promise<Destination>;
  /** Every object and unfinished upload below a prefix that the store's own tools see, hidden ones too. */
  rawNames(prefix: string): Promise<readonly string[]>;
  /** What a run of `owner` leaves that is killed in the middle of storing `name`. */
  plantLeftover(prefix: string, name: string, owner: JobTag): Promise<void>;
  /**
   * A destination that must be refused: with a wrong password, key or token, or with a bucket, container or folder that is
   * not there (and that a delivery does not make). A kind without one of them says so in `exceptions`.
   */
  openWrong?(wrong: Wrong): Promise<Destination>;
  /** The same server behind TLS with a certificate of an authority that nobody knows; see `TlsTrustCase`. */
  openTls?(trust: TlsTrustCase): Promise<Destination>;
  cleanUp(): Promise<void>;
}

export type Wrong = "credentials" | "target";

/** `ca`: the setting names the authority. `insecure`: the setting switches the check off. `untrusted`: neither. */
export type TlsTrustCase = "ca" | "insecure" | "untrusted";

export interface ConformanceSpec {
  readonly label: string;
  readonly kind: DestinationKind;
  create(): Promise<ConformanceStore>;
  /** Bytes of one part, block or piece of an upload, where the kind sends any. Default: 4 MiB. */
  readonly partBytes?: number;
  /** Cases that this kind cannot pass, each with its reason. An unknown name is an error. */
  readonly exceptions?: Readonly<Record<string, string>>;
  /** Text that no label, message or hint may contain. */
  readonly secrets?: readonly string[];
}

export const OWNER: JobTag = { host: "host-a", job: "site", runId: "20261122T213000Z-a1b2c3" };
export const NEIGHBOUR: JobTag = { host: "host-b", job: "site", runId: "20261122T213000Z-d4e5f6" };

export interface Case {
  readonly name: string;
  readonly timeoutMs?: number;
  run(destination: Destination, store: ConformanceStore, spec: ConformanceSpec): Promise<void>;
}

export const signal = (timeoutMs = 60_000): AbortSignal => AbortSignal.timeout(timeoutMs);
export const asArchive = (): { area: Area; owner: JobTag; signal: AbortSignal } => ({
  area: "archive",
  owner: OWNER,
  signal: signal(),
});
export const asRecord = (): { area: Area; owner: JobTag; signal: AbortSignal } => ({ ...asArchive(), area: "record" });

export async function listAll(destination: Destination, area: Area): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of destination.list(area, signal())) found.push(object);
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export async function readAll(
  destination: Destination,
  area: Area,
  name: string,
  range?: { offset: number; length: number },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await destination.get(area, name, range, signal())) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it succeeded");
}

/** Every failure is one that a user can act on, and gives nothing away. */
export function expectHelpful(error: unknown, spec: ConformanceSpec): asserts error is DestinationError {
  expect(error).toBeInstanceOf(DestinationError);
  if (!(error instanceof DestinationError)) return;
  for (const secret of spec.secrets ?? []) expect(`${error.message} ${error.hint ?? ""}`).not.toContain(secret);
}

/** Its hint says which setting to look at. */
export function expectNamesSetting(error: DestinationError): void {
  expect(error.hint ?? "").toMatch(/[A-Z][A-Z0-9]*_[A-Z0-9_]+/);
}

export async function hashOf(body: AsyncIterable<Uint8Array>): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

export async function expectCode(
  work: Promise<unknown>,
  code: DestinationErrorCode,
  spec: ConformanceSpec,
): Promise<void> {
  const error = await failureOf(work);
  expectHelpful(error, spec);
  expect(error.code).toBe(code);
}

export async function expectNotFound(destination: Destination, name: string): Promise<void> {
  const error = await failureOf(destination.get("archive", name, undefined, signal()));
  expect(error).toBeInstanceOf(DestinationError);
  expect(error).toHaveProperty("code", "not-found");
}
