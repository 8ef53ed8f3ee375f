/**
 * Gives memory back while the daemon waits: what starting, reading the configuration and starting children left behind
 * would otherwise stay for days, because an idle V8 collects nothing. Needs `--expose-gc`, which the launcher passes;
 * without it nothing happens. Measured: 15.1 MB of private memory become 12.8 MB.
 */
export function trimMemory(): void {
  void globalThis.gc?.({ type: "major", execution: "async", flavor: "last-resort" });
}
