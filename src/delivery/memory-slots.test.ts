import { expect, it } from "vitest";
import { sampleBytes } from "../../test/conformance/sources.ts";
import { createMemorySlots } from "./memory-slots.ts";

const bytes = sampleBytes(1_000, 7);

it("holds what it was given, in pieces that end where a slot does, and no more than its limit", () => {
  const slots = createMemorySlots(100, 30);
  expect(slots.roomBytes).toBe(90);
  expect(slots.add(bytes.subarray(0, 20))).toBe(20);
  expect(slots.add(bytes.subarray(20, 500))).toBe(70);
  expect([slots.firstByte, slots.endByte, slots.firstSlotEnd, slots.roomBytes]).toEqual([0, 90, 30, 0]);
  for (const [offset, end] of [
    [0, 30],
    [29, 30],
    [30, 60],
    [75, 90],
  ] as const)
    expect(Buffer.from(slots.at(offset)).equals(bytes.subarray(offset, end))).toBe(true);
  expect(slots.add(bytes)).toBe(0);
});

it("gives up whole slots only, and goes on behind them", () => {
  const slots = createMemorySlots(90, 30);
  slots.add(bytes.subarray(0, 80));
  slots.dropBelow(59, 59);
  expect([slots.firstByte, slots.roomBytes]).toEqual([30, 40]);
  // The last slot is only partly filled: it is not given up with more to come.
  slots.dropBelow(80, 80);
  expect([slots.firstByte, slots.endByte]).toEqual([60, 80]);
  expect(slots.add(bytes.subarray(80, 200))).toBe(70);
  expect(Buffer.from(slots.at(60)).equals(bytes.subarray(60, 90))).toBe(true);
  expect(Buffer.from(slots.at(125)).equals(bytes.subarray(125, 150))).toBe(true);
});

it("writes over what nobody uses any more, and over nothing else", () => {
  const slots = createMemorySlots(60, 30);
  slots.add(bytes.subarray(0, 60));
  const views = [slots.at(0), slots.at(30)];
  slots.dropBelow(60, 30);
  slots.add(bytes.subarray(60, 120));
  const isWhatItWas = views.map((view, index) => Buffer.from(view).equals(bytes.subarray(index * 30, index * 30 + 30)));
  expect(isWhatItWas).toEqual([false, true]);
  expect(Buffer.from(slots.at(60)).equals(bytes.subarray(60, 90))).toBe(true);
});

it("frees everything when it is cleared", () => {
  const slots = createMemorySlots(60, 30);
  slots.add(bytes.subarray(0, 50));
  slots.clear();
  expect([slots.firstByte, slots.endByte, slots.roomBytes]).toEqual([50, 50, 60]);
});
