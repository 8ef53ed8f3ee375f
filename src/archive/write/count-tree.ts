import { headerOf } from "./entry-header.ts";
import { createExcludes } from "./exclude.ts";
import type { FileCalls } from "./file-calls.ts";
import { FileStat } from "./file-stat.ts";
import { isSystemError } from "./failures.ts";
import { kernelFileSystem } from "./file-systems.ts";
import { END_BYTES } from "./headers.ts";
import { padded } from "./blocks.ts";
import { createOwnPaths } from "./own-paths.ts";
import { planSources } from "./sources.ts";
import { createTally } from "./tally.ts";
import type { OpenedFolder, Place } from "./visit.ts";
import { walkSources } from "./walk.ts";
import type { WalkOptions } from "./worker-protocol.ts";

/** What an archive would hold. Files that can't be read, and hard links stored as links, make the truth smaller. */
export interface SourceEstimate {
  /** Regular files. */
  readonly files: number;
  /** Their content. */
  readonly contentBytes: number;
  /** The archive's size without compression: headers, content, padding, end. */
  readonly archiveBytes: number;
}

/** Looks at everything that would be stored, without opening a file. `checkAbort` is called for each and may throw. */
export function countTree(options: WalkOptions, calls: FileCalls, checkAbort: () => void): SourceEstimate {
  const excludes = createExcludes(options.excludeRegexp, options.excludeGlobs);
  const ownPaths = createOwnPaths(options.ownPaths);
  const stat = new FileStat();
  let files = 0;
  let contentBytes = 0;
  let archiveBytes = END_BYTES;

  const count = (place: Place): OpenedFolder | undefined => {
    const { parentFd, name, path, sources } = place;
    calls.statName(parentFd, name, stat);
    const isFolder = stat.isDirectory();
    if (excludes.prunes(path, isFolder) || ownPaths.has(path, stat) || stat.isSocket()) return undefined;
    if (!excludes.dropsEntry(path)) {
      const sizeBytes = stat.isFile() ? stat.sizeBytes : 0;
      if (stat.isFile()) files += 1;
      contentBytes += sizeBytes;
      const header = headerOf(path, stat, isFolder ? "directory" : "file", "", sizeBytes);
      archiveBytes += (header?.bytes ?? 0) + padded(sizeBytes);
    }
    if (!isFolder) return undefined;
    const fd = calls.openFolder(parentFd, name);
    if (stat.device === place.parentDevice || kernelFileSystem(fd) === undefined) {
      return { name, path, fd, stat, sources };
    }
    calls.close(fd);
    return undefined;
  };

  walkSources(planSources(options.sources), {
    calls,
    ownPaths,
    tally: createTally(() => undefined),
    visit(place) {
      checkAbort();
      try {
        return count(place);
      } catch (error) {
        // Gone, or not to be looked at: the archive will say so.
        if (!isSystemError(error)) throw error;
        return undefined;
      }
    },
  });
  return { files, contentBytes, archiveBytes };
}
