import { randomBytes } from "node:crypto";

/** `20261122T213000Z-1a2b3c`: sorts by time, unique enough for one machine's runs. */
export function newRunId(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${stamp}-${randomBytes(3).toString("hex")}`;
}
