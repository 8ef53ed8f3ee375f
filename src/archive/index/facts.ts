import { IndexFault, type IndexFacts } from "./format.ts";

const SHA256 = /^[0-9a-f]{64}$/;

/** What an index says of its archive. Unknown fields are passed over. @throws IndexFault */
export function parseFacts(json: Buffer): IndexFacts {
  let facts: unknown;
  try {
    facts = JSON.parse(json.toString("utf8"));
  } catch (cause) {
    throw new IndexFault("does not say what it belongs to", { cause });
  }
  const { archive, blocks, entries, cutRule, compression, compressor, level, lifeboat } = object(facts);
  const { name, sizeBytes, sha256 } = object(archive);
  const { count, rawBytes, sha256: listSha256 } = object(blocks);
  if (compression !== "gz" && compression !== "zst" && compression !== "none") {
    throw new IndexFault("names a compression that is not known here");
  }
  return {
    archive: { name: text(name), sizeBytes: amount(sizeBytes), sha256: digest(sha256) },
    blocks: { count: amount(count), rawBytes: amount(rawBytes), sha256: digest(listSha256) },
    entries: amount(entries),
    cutRule: Object.fromEntries(Object.entries(object(cutRule)).map(([key, value]) => [key, amount(value)])),
    compression,
    compressor: text(compressor),
    level: text(level),
    lifeboat: text(lifeboat),
  };
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw strange();
  return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw strange();
  return value;
}

function digest(value: unknown): string {
  if (!SHA256.test(text(value))) throw strange();
  return text(value);
}

function amount(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw strange();
  return value;
}

function strange(): IndexFault {
  return new IndexFault("does not say what it belongs to");
}
