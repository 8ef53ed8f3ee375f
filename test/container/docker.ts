/** The Docker client as the tests use it. */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function environment(): NodeJS.ProcessEnv {
  const host = inject("dockerHost");
  return host === undefined ? process.env : { ...process.env, DOCKER_HOST: host };
}

export const image = (): string => inject("image");

/** Runs a program to its end, whatever its exit code. */
export function run(program: string, args: readonly string[], timeoutMs = 500_000): Promise<Output> {
  return new Promise((resolve, reject) => {
    const options = { env: environment(), timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === "number") resolve({ code, stdout, stderr });
      else reject(error ?? new Error(`${program} gave no exit code`));
    });
  });
}

/** Runs a program that must succeed; gives its standard output without the last line break. */
export async function must(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: exit code ${code}\n${stdout}\n${stderr}`);
  return stdout.trimEnd();
}

export const docker = (...args: string[]): Promise<string> => must("docker", ...args);

/** Asks until the answer is neither undefined nor false; fails with what `explain` says. */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  options: { readonly timeoutMs?: number; explain?(): Promise<string> } = {},
): Promise<T> {
  const until = Date.now() + (options.timeoutMs ?? 60_000);
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > until) throw new Error(`waited in vain for: ${what}\n${(await options.explain?.()) ?? ""}`);
    await sleep(250);
  }
}
