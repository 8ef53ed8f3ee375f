import type { Job } from "../contracts/job.ts";
import type { TaskContext } from "./context.ts";
import { orAborted } from "../lib/abortable.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { closeAll } from "./delivery-phases.ts";
import { openJobDestinations } from "./job-destinations.ts";

const CONNECT_LIMIT_MS = 60_000;

/**
 * Connects to every destination of these jobs and writes nothing: who has just started the container or changed a setting
 * hears at once what the night's run would stumble over. Only warns; never rejects.
 */
export async function checkConnections(context: TaskContext & { readonly jobs: readonly Job[] }): Promise<void> {
  await Promise.all(context.jobs.map((job) => checkJob(context, job)));
}

async function checkJob({ options, signal, ...context }: TaskContext, job: Job): Promise<void> {
  const log = context.log.with({ job: job.name });
  try {
    const destinations = await openJobDestinations(job, options.stateDir, (text) => log.warn(text));
    await Promise.all(
      destinations.map(async (destination) => {
        const limited = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_LIMIT_MS)]);
        try {
          await orAborted(destination.connect(limited), limited);
          log.debug(`${destination.label} can be reached`);
        } catch (thrown) {
          if (signal.aborted) return;
          const why = limited.aborted ? "it does not answer" : messageOf(thrown);
          const hint = thrown instanceof UserError && thrown.hint !== undefined ? ` (${thrown.hint})` : "";
          log.warn(`${destination.label} can't be used now: ${why}${hint}; lifeboat check tells more`);
        }
      }),
    );
    await closeAll(destinations, log);
  } catch (thrown) {
    log.warn(`the destinations could not be looked at: ${messageOf(thrown)}`);
  }
}
