import type { Fire } from "../schedule/scheduler.ts";

export interface QueueOptions {
  /** Runs one due job to its end; never rejects. */
  run(fire: Fire): Promise<void>;
  /** A job was due while its earlier run still waits or runs. */
  onSkipped(fire: Fire): void;
}

/** Due jobs one after another, in the order in which they became due; a job is in it at most once. */
export interface Queue {
  add(fire: Fire): void;
  readonly busy: boolean;
  /** Nothing new is started; what runs goes on. */
  close(): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

export function createQueue(options: QueueOptions): Queue {
  const waiting: Fire[] = [];
  let running: { fire: Fire; done: Promise<void> } | undefined;
  let closed = false;

  const next = (): void => {
    const fire = closed ? undefined : waiting.shift();
    if (fire === undefined) {
      running = undefined;
      return;
    }
    running = { fire, done: options.run(fire).then(next, next) };
  };

  return {
    add(fire) {
      if (closed) return;
      if (running?.fire.job === fire.job || waiting.some((other) => other.job === fire.job)) {
        options.onSkipped(fire);
        return;
      }
      waiting.push(fire);
      if (running === undefined) next();
    },
    get busy() {
      return running !== undefined;
    },
    close() {
      closed = true;
      waiting.length = 0;
    },
    async idle() {
      while (running !== undefined) await running.done;
    },
  };
}
