import type { ArchiveNotice } from "../contracts/archive.ts";
import type { Log } from "../contracts/log.ts";

const MOST_LINES = 1_000;

/** Writes one line per path, up to a number that a log can bear, and then how many more there were. */
export function createNoticeLog(log: Log): { add(notice: ArchiveNotice): void; end(): void } {
  let lines = 0;
  let more = 0;
  return {
    add(notice) {
      if (lines >= MOST_LINES) {
        more += 1;
        return;
      }
      lines += 1;
      const text = `${notice.path}: ${notice.detail}`;
      if (notice.incomplete) log.warn(text);
      else log.info(text);
    },
    end() {
      if (more > 0) log.warn(`${more} more paths had something to say; only the first ${MOST_LINES} are listed`);
    },
  };
}
