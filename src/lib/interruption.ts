/** Why a run ends early. The reason of the abort signal decides between `interrupted` and `failed`. */
export class Interruption extends Error {
  readonly kind: "signal" | "timeout";

  constructor(kind: "signal" | "timeout", message: string) {
    super(message);
    this.name = "Interruption";
    this.kind = kind;
  }
}

export function interruptionOf(signal: AbortSignal): Interruption | undefined {
  return signal.aborted && signal.reason instanceof Interruption ? signal.reason : undefined;
}

/** A signal that follows `outer` and, where `timeoutMs` is above 0, aborts by itself. Call `end` when the run is over. */
export function runSignal(
  outer: AbortSignal,
  timeoutMs: number,
  describeTimeout: string,
): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const onOuter = (): void => controller.abort(outer.reason);
  if (outer.aborted) onOuter();
  else outer.addEventListener("abort", onOuter, { once: true });
  const deadline = timeoutMs > 0 ? Date.now() + timeoutMs : undefined;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    if (deadline === undefined) return;
    const leftMs = deadline - Date.now();
    if (leftMs <= 0) controller.abort(new Interruption("timeout", describeTimeout));
    else timer = setTimeout(arm, Math.min(leftMs, 60_000));
  };
  arm();
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      outer.removeEventListener("abort", onOuter);
    },
  };
}
