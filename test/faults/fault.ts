/** `up`: from the client to the server; `down`: what comes back. */
export type Direction = "up" | "down";

/** What a TCP proxy does to what passes through it. */
export type Fault =
  /** Passes everything. */
  | { readonly kind: "none" }
  /** Breaks the connection over which this byte of all of them passes; everything later passes. */
  | { readonly kind: "cut-once"; readonly afterBytes: number; readonly direction?: Direction }
  /** Breaks every connection after so many bytes of its own. */
  | { readonly kind: "cut-always"; readonly afterBytes: number; readonly direction?: Direction }
  /** After so many bytes over all connections nothing flows any more, in either direction; all stay open, new ones too. */
  | { readonly kind: "stall"; readonly afterBytes: number; readonly direction?: Direction }
  /** Bytes per second in each direction, over all connections. */
  | { readonly kind: "rate"; readonly bytesPerSecond: number }
  /** Each direction takes this much longer; throughput is not limited. */
  | { readonly kind: "latency"; readonly eachWayMs: number }
  /** Answers a connection's first bytes with nonsense and closes it; the server never sees them. */
  | { readonly kind: "garbage"; readonly text?: string }
  /** Nobody listens. */
  | { readonly kind: "refuse" };

/** What becomes of the next bytes. */
export type Verdict =
  | { readonly kind: "pass" }
  /** The first `passBytes` pass, then the fault. */
  | { readonly kind: "cut" | "stall"; readonly passBytes: number }
  | { readonly kind: "garbage"; readonly text: string };

export interface Gate {
  /** What happens to a connection's next `bytes`, of which `ownBytes` passed before in this direction. */
  judge(direction: Direction, bytes: number, ownBytes: number): Verdict;
  /** Whether nothing flows any more. */
  isStalled(): boolean;
}

const NONSENSE = "\u0000\u0001 this is neither a greeting nor an answer \r\n\r\n";
const PASS: Verdict = { kind: "pass" };

/** The state of one fault since it was set. */
export function createGate(fault: Fault): Gate {
  let passedBytes = 0;
  let isOver = false;
  let isStalled = fault.kind === "stall" && fault.afterBytes === 0;
  return {
    isStalled: () => isStalled,
    judge(direction, bytes, ownBytes) {
      if (isStalled) return { kind: "stall", passBytes: 0 };
      if (fault.kind === "garbage") return { kind: "garbage", text: fault.text ?? NONSENSE };
      if (!("afterBytes" in fault) || direction !== (fault.direction ?? "up") || isOver) return PASS;
      const before = fault.kind === "cut-always" ? ownBytes : passedBytes;
      passedBytes += bytes;
      if (before + bytes < fault.afterBytes) return PASS;
      if (fault.kind === "stall") isStalled = true;
      if (fault.kind === "cut-once") isOver = true;
      return { kind: fault.kind === "stall" ? "stall" : "cut", passBytes: Math.max(0, fault.afterBytes - before) };
    },
  };
}
