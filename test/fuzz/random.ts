/** A small seeded generator (mulberry32): the same seed gives the same cases on every machine. */
export interface Random {
  /** 0 to below `limit`. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  /** Up to `most` characters of all sorts. */
  text(most: number): string;
}

const LETTERS = Array.from("abcXYZ019 -_./\\$%{}()[]*?+^|#'\"`~!@&=,;:<>\t\nüß☂\u200b");

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
  return {
    below,
    pick,
    text: (most) => Array.from({ length: below(most + 1) }, () => pick(LETTERS)).join(""),
  };
}
