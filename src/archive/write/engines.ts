import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Compression, CompressionLevel } from "../../contracts/archive.ts";
import { type BlockEngine, outputCapacityBytes, type ZstdSettings } from "./block-engine.ts";
import { gzipEngine } from "./gzip-engine.ts";
import { loadIsal } from "./isal.ts";
import { loadLibdeflate } from "./libdeflate.ts";
import { loadLibzstd } from "./libzstd.ts";
import { nodeGzip, nodeZstd } from "./node-engines.ts";

/** How blocks are compressed. */
export interface EngineChoice {
  readonly compression: Exclude<Compression, "none">;
  readonly level: CompressionLevel;
  /** False: only what is built into Node.js. */
  readonly native: boolean;
}

const LIBDEFLATE_LEVELS: Record<CompressionLevel, number> = { fast: 1, default: 4, best: 9 };
const ISAL_LEVEL = 2;
const ZLIB_LEVELS: Record<CompressionLevel, number> = { fast: 1, default: 5, best: 9 };
/** A block is about as large as the window, which is twice what zstd would take for level 3: that saves 0.8 %, at no cost. */
const ZSTD_WINDOW_LOG = 22;
const ZSTD_LEVELS: Record<CompressionLevel, number> = { fast: 1, default: 3, best: 12 };

/** The first of the job's engines that can be loaded and gives what it should; the last always can. */
export async function loadEngine({ compression, level, native }: EngineChoice): Promise<BlockEngine> {
  for (const load of native ? nativeLoaders(compression, level) : []) {
    try {
      const engine = await load();
      if (isRight(engine, compression)) return engine;
    } catch {
      // Not installed, or not for this machine: the next one makes the same format.
    }
  }
  return compression === "gz" ? gzipEngine(nodeGzip(ZLIB_LEVELS[level])) : nodeZstd(zstdSettings(level));
}

function nativeLoaders(compression: Compression, level: CompressionLevel): readonly (() => Promise<BlockEngine>)[] {
  if (compression === "zst") return [() => loadLibzstd(zstdSettings(level))];
  const libdeflate = async (): Promise<BlockEngine> => gzipEngine(await loadLibdeflate(LIBDEFLATE_LEVELS[level]));
  const isal = async (): Promise<BlockEngine> => gzipEngine(await loadIsal(ISAL_LEVEL));
  return level === "fast" ? [isal, libdeflate] : [libdeflate];
}

function zstdSettings(level: CompressionLevel): ZstdSettings {
  return { level: ZSTD_LEVELS[level], windowLog: ZSTD_WINDOW_LOG };
}

const TRIAL_BYTES = 60_000;

/** A library whose output another one can't read back is not used: this is where a changed layout or a bad build shows. */
function isRight(engine: BlockEngine, compression: Compression): boolean {
  const trial = Buffer.from(new ArrayBuffer(TRIAL_BYTES));
  // Text first, then the bytes of a simple generator: both kinds of content are met.
  trial.fill("a line of a file that compresses\n", 0, TRIAL_BYTES / 2);
  for (let at = TRIAL_BYTES / 2, state = 1; at < TRIAL_BYTES; at += 1) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    trial[at] = state >>> 24;
  }
  const output = new ArrayBuffer(outputCapacityBytes(TRIAL_BYTES));
  for (const bytes of [TRIAL_BYTES, 1]) {
    const made = new Uint8Array(output, 0, engine.compress(trial.buffer, bytes, output));
    const back = compression === "gz" ? gunzipSync(made) : zstdDecompressSync(made);
    if (!back.equals(trial.subarray(0, bytes))) return false;
  }
  return true;
}

/** What this machine compresses with, for `lifeboat check`. */
export async function describeEngines(): Promise<readonly { readonly text: string; readonly missing: boolean }[]> {
  const name = async (compression: EngineChoice["compression"], level: CompressionLevel): Promise<string> =>
    (await loadEngine({ compression, level, native: true })).name;
  const kinds = [
    { compression: "gz", best: ["libdeflate", "ISA-L"], packages: "libdeflate0 and libisal2" },
    { compression: "zst", best: [], packages: "" },
  ] as const;
  const described = [];
  for (const { compression, best, packages } of kinds) {
    const names = [
      await name(compression, "default"),
      await name(compression, "fast"),
      await name(compression, "best"),
    ];
    const missing = best.some((library) => !names.some((used) => used.startsWith(library)));
    const [usual, fast, slow] = names;
    const advice = missing ? `; it would take less CPU time with ${packages} (Debian's names)` : "";
    described.push({ text: `${compression}: ${usual} (fast: ${fast}, best: ${slow})${advice}`, missing });
  }
  return described;
}
