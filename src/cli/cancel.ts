import { kill } from "node:process";
import { sleep } from "../lib/clock.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { isAlive } from "../state/process.ts";
import { inspectLock } from "../state/lock.ts";
import type { Command } from "./command.ts";
import { loadForCommand } from "./setup.ts";

const EXIT_FAILED = 1;
const WAIT_LIMIT_MS = 15_000;

export const cancelCommand: Command = {
  usage: "cancel [job]",
  summary: "end the run that is going on",
  help: `Ends the run that holds the lock (only if it is one of the named job, when one is named): it cleans up, leaves no
partial archive, and is recorded as interrupted. Waits until it has ended, up to 15 seconds.`,
  options: {},
  positionals: { min: 0, max: 1 },
  async run(args, context) {
    const { options } = await loadForCommand(context, { logToStderr: true });
    const state = inspectLock({ path: options.lockFile });
    const holder = state?.alive === true ? state.holder : undefined;
    const [job] = args.positionals;
    if (holder === undefined || (job !== undefined && holder.job !== job)) {
      context.output.print(job === undefined ? "nothing is running" : `no run of ${job} is going on`);
      return EXIT_FAILED;
    }
    try {
      kill(holder.pid, "SIGTERM");
    } catch (thrown) {
      throw new UserError(`cannot end the run of ${holder.job} (process ${holder.pid}): ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
    const giveUpMs = Date.now() + WAIT_LIMIT_MS;
    while (Date.now() < giveUpMs) {
      if (!isAlive(holder) || inspectLock({ path: options.lockFile })?.holder?.token !== holder.token) {
        context.output.print(`the run of ${holder.job} has ended`);
        return 0;
      }
      await sleep(100, context.signal);
    }
    context.output.remark(`the run of ${holder.job} (process ${holder.pid}) was asked to end, but has not yet`);
    return EXIT_FAILED;
  },
};
