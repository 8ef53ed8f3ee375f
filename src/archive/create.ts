import type { ArchiveOptions, ArchiveStream } from "../contracts/archive.ts";

/** Skeleton: the signature is final, the engine follows. */
export function createArchive(options: ArchiveOptions): ArchiveStream {
  throw new Error(`not built yet: ${options.sources.join(", ")}`);
}
