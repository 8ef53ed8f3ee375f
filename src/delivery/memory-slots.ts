/** The bytes of an archive from `firstByte` to `endByte`, in slots of one size that are used again and again. */
export interface MemorySlots {
  readonly firstByte: number;
  readonly endByte: number;
  /** Where the first slot ends: giving up less frees nothing. */
  readonly firstSlotEnd: number;
  /** Bytes that can be added now. */
  readonly roomBytes: number;
  /** Copies as much of `bytes` as there is room for; returns how much that is. */
  add(bytes: Uint8Array): number;
  /** What is held from `offset` on, to the end of its slot. */
  at(offset: number): Uint8Array;
  /**
   * Gives up the slots below `floor`. Only those below `unusedBelow` are written over later: of the others somebody may
   * still have a view.
   */
  dropBelow(floor: number, unusedBelow: number): void;
  /** Gives up everything. */
  clear(): void;
}

/**
 * Buffers made for each piece would outlive the young generation and be freed only by a collection of the whole heap, one
 * for every 40 MB: a third of the CPU time of an upload, measured.
 */
export function createMemorySlots(limitBytes: number, slotBytes: number): MemorySlots {
  const most = Math.max(1, Math.floor(limitBytes / slotBytes));
  let held: Uint8Array[] = [];
  const free: Uint8Array[] = [];
  let firstByte = 0;
  let endByte = 0;
  const usedOfLast = (): number => endByte - firstByte - (held.length - 1) * slotBytes;
  const roomBytes = (): number => most * slotBytes - (endByte - firstByte);

  return {
    get firstByte() {
      return firstByte;
    },
    get endByte() {
      return endByte;
    },
    get firstSlotEnd() {
      return Math.min(endByte, firstByte + slotBytes);
    },
    get roomBytes() {
      return roomBytes();
    },
    add(bytes) {
      const length = Math.min(bytes.byteLength, roomBytes());
      for (let at = 0; at < length;) {
        let last = held.at(-1);
        let used = last === undefined ? slotBytes : usedOfLast();
        if (last === undefined || used === slotBytes) {
          last = free.pop() ?? new Uint8Array(slotBytes);
          held.push(last);
          used = 0;
        }
        const piece = bytes.subarray(at, at + Math.min(slotBytes - used, length - at));
        last.set(piece, used);
        at += piece.byteLength;
        endByte += piece.byteLength;
      }
      return length;
    },
    at(offset) {
      const index = Math.floor((offset - firstByte) / slotBytes);
      const slot = held[index];
      if (slot === undefined) throw new Error("the memory window lost a piece");
      const from = firstByte + index * slotBytes;
      return slot.subarray(offset - from, Math.min(slotBytes, endByte - from));
    },
    dropBelow(floor, unusedBelow) {
      while (held.length > 0 && firstByte + slotBytes <= Math.min(floor, endByte)) {
        const slot = held.shift();
        firstByte += slotBytes;
        if (slot !== undefined && firstByte <= unusedBelow) free.push(slot);
      }
    },
    clear() {
      held = [];
      free.length = 0;
      firstByte = endByte;
    },
  };
}
