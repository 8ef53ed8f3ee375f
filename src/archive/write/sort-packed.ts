/** Below this many names insertion is faster than another partition. */
const FEW = 12;

/**
 * Sorts the positions in `order[from..to)` by the NUL-terminated names that lie `nameOffset` behind them in `bytes`, in
 * byte order: a three-way radix quicksort, in place, on bytes. Each byte of a name is compared once for each partition,
 * of which no choice of names can make more than 255.
 */
export function sortPacked(order: Uint32Array, from: number, to: number, bytes: Uint8Array, nameOffset: number): void {
  if (!isSorted(order, from, to, bytes, nameOffset)) sortFrom(order, from, to, bytes, nameOffset);
}

/** `offset` is that of the first byte which may differ. Recurses into all but the largest part: the depth stays small. */
function sortFrom(order: Uint32Array, from: number, to: number, bytes: Uint8Array, offset: number): void {
  let [first, end, at] = [from, to, offset];
  while (end - first > FEW) {
    const pivot = middleByte(order, first, end, bytes, at);
    let low = first;
    let high = end;
    for (let next = first; next < high;) {
      const position = order[next] ?? 0;
      const byte = bytes[position + at] ?? 0;
      if (byte < pivot) {
        order[next] = order[low] ?? 0;
        order[low] = position;
        low += 1;
        next += 1;
      } else if (byte > pivot) {
        high -= 1;
        order[next] = order[high] ?? 0;
        order[high] = position;
      } else {
        next += 1;
      }
    }
    const [less, equal, greater] = [low - first, high - low, end - high];
    // Names that end here are equal; a listing gives each name once, a broken file system may not.
    const equalNeedsMore = pivot !== 0;
    if (equal >= less && equal >= greater) {
      sortFrom(order, first, low, bytes, at);
      sortFrom(order, high, end, bytes, at);
      if (!equalNeedsMore) return;
      [first, end, at] = [low, high, at + 1];
    } else {
      if (equalNeedsMore) sortFrom(order, low, high, bytes, at + 1);
      if (less >= greater) {
        sortFrom(order, high, end, bytes, at);
        end = low;
      } else {
        sortFrom(order, first, low, bytes, at);
        first = high;
      }
    }
  }
  insertionSort(order, first, end, bytes, at);
}

function middleByte(order: Uint32Array, from: number, to: number, bytes: Uint8Array, offset: number): number {
  const a = bytes[(order[from] ?? 0) + offset] ?? 0;
  const b = bytes[(order[(from + to) >>> 1] ?? 0) + offset] ?? 0;
  const c = bytes[(order[to - 1] ?? 0) + offset] ?? 0;
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function insertionSort(order: Uint32Array, from: number, to: number, bytes: Uint8Array, offset: number): void {
  for (let next = from + 1; next < to; next += 1) {
    const position = order[next] ?? 0;
    let at = next;
    for (; at > from && comparePacked(bytes, order[at - 1] ?? 0, position, offset) > 0; at -= 1) {
      order[at] = order[at - 1] ?? 0;
    }
    order[at] = position;
  }
}

function isSorted(order: Uint32Array, from: number, to: number, bytes: Uint8Array, offset: number): boolean {
  for (let at = from + 1; at < to; at += 1) {
    if (comparePacked(bytes, order[at - 1] ?? 0, order[at] ?? 0, offset) > 0) return false;
  }
  return true;
}

function comparePacked(bytes: Uint8Array, left: number, right: number, offset: number): number {
  for (let at = offset; ; at += 1) {
    const a = bytes[left + at] ?? 0;
    const b = bytes[right + at] ?? 0;
    if (a !== b || a === 0) return a - b;
  }
}
