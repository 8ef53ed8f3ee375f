import { describeBlock } from "../archive/index/blocks.ts";
import { checkBlocks, entriesIn } from "../archive/index/check-blocks.ts";
import type { IndexBlock } from "../archive/index/reader.ts";
import { UserError } from "../lib/errors.ts";
import { openArchiveIndex } from "./archive-index.ts";
import type { FoundArchive } from "./archives.ts";
import type { CommandContext } from "./command.ts";

const MOST_SHOWN = 100;

/** Compares an archive's blocks with its index, where it has one, as they pass by. */
export async function createBlockCheck(
  found: FoundArchive,
  context: CommandContext,
): Promise<{
  through(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** @throws UserError where blocks are damaged, after remarks that say which, and what lies in them */
  verify(): Promise<void>;
}> {
  // That there is none matters only to those who need it.
  const quiet = { ...context, output: { ...context.output, remark: () => undefined } };
  const opened = await openArchiveIndex(found, quiet, [Buffer.alloc(0)]);
  if (opened === undefined) return { through: (source) => source, verify: () => Promise.resolve() };
  const { index } = opened;
  const damaged: IndexBlock[] = [];
  return {
    through: (source) => checkBlocks(index, source, (block) => damaged.push(block)),
    async verify() {
      if (damaged.length === 0) return;
      for (const block of damaged.slice(0, MOST_SHOWN)) context.output.remark(`${describeBlock(block)} is damaged`);
      if (damaged.length > MOST_SHOWN) context.output.remark(`and ${damaged.length - MOST_SHOWN} more blocks`);
      const { shown, count } = await entriesIn(index, damaged, MOST_SHOWN);
      for (const path of shown) context.output.remark(`damaged: ${path}`);
      if (count > shown.length) context.output.remark(`and ${count - shown.length} more entries`);
      throw new UserError(`${found.object.name} is damaged: ${damaged.length} of ${index.facts.blocks.count} blocks`, {
        hint: "try the copy at another destination (--from), or an older archive; lifeboat restore takes what is not damaged",
      });
    },
  };
}
