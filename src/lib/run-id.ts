/** `20261122T213000Z-1a2b3c`: sorts by time, unique enough for one machine's runs. */
export function newRunId(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  // No secret and no need for more: the crypto library would cost the daemon 1.6 MB.
  const tail = Math.floor(Math.random() * 0x100_0000);
  return `${stamp}-${tail.toString(16).padStart(6, "0")}`;
}
