/** Measures programs as a user feels them. */
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

export interface Program {
  /** For bash. */
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Cost {
  readonly wallSeconds: number;
  /** User and system time, of all processes. */
  readonly cpuSeconds: number;
  /** The peaks of all processes together: a pipeline's programs run at the same time. */
  readonly peakMb: number;
}

/** Looking costs more the more threads a program has, on the cores that it needs itself; a peak is kept until it ends. */
const LOOK_EVERY_MS = 200;

/** Runs a program to its end. Rejects where it fails. */
export async function measure({ command, env }: Program): Promise<Cost> {
  const script = `TIMEFORMAT="cost %3R %3U %3S"; time { ${command}; }`;
  const child = spawn("bash", ["-c", script], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const peaks = new Map<number, number>();
  const looking = setInterval(() => lookAtChildren(child.pid ?? 0, peaks), LOOK_EVERY_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearInterval(looking);
  const [, wall, user, system] = /^cost (\S+) (\S+) (\S+)$/m.exec(errors) ?? [];
  if (code !== 0 || wall === undefined) throw new Error(`${command} ended with ${code ?? "a signal"}:\n${errors}`);
  return {
    wallSeconds: Number(wall),
    cpuSeconds: Number(user) + Number(system),
    peakMb: [...peaks.values()].reduce((sum, kilobytes) => sum + kilobytes, 0) / 1000,
  };
}

/** High-water marks of everything below a process; a process that has just ended keeps its last. */
function lookAtChildren(pid: number, peaks: Map<number, number>): void {
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ")) {
        if (child === "") continue;
        const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child}/status`, "utf8"))?.[1];
        if (peak !== undefined) peaks.set(Number(child), Number(peak));
        lookAtChildren(Number(child), peaks);
      }
    }
  } catch {
    // It ended meanwhile.
  }
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
