import { expect, it } from "vitest";
import type { Fire } from "../schedule/scheduler.ts";
import { createQueue } from "./queue.ts";

const fire = (job: string, at = 0): Fire => ({ job, trigger: "schedule", firedAtMs: at });

function harness() {
  const log: string[] = [];
  const ends: (() => void)[] = [];
  const queue = createQueue({
    run: ({ job }) => {
      log.push(`run ${job}`);
      return new Promise((resolve) => ends.push(resolve));
    },
    onSkipped: ({ job }) => log.push(`skipped ${job}`),
  });
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, log, endOne };
}

it("runs one job at a time, in the order in which they came due", async () => {
  const { queue, log, endOne } = harness();
  for (const job of ["a", "b", "c"]) queue.add(fire(job));
  expect(log).toEqual(["run a"]);
  await endOne();
  expect(log).toEqual(["run a", "run b"]);
  await endOne();
  await endOne();
  expect(log).toEqual(["run a", "run b", "run c"]);
  expect(queue.busy).toBe(false);
});

it("drops a fire of a job that runs or waits, and takes it again afterwards", async () => {
  const { queue, log, endOne } = harness();
  queue.add(fire("a"));
  queue.add(fire("a", 1));
  queue.add(fire("b"));
  queue.add(fire("b", 1));
  expect(log).toEqual(["run a", "skipped a", "skipped b"]);
  await endOne();
  await endOne();
  queue.add(fire("a", 2));
  expect(log.at(-1)).toBe("run a");
});

it("starts nothing once closed, and says when what runs has ended", async () => {
  const { queue, log, endOne } = harness();
  queue.add(fire("a"));
  queue.add(fire("b"));
  queue.close();
  queue.add(fire("c"));
  const idle = queue.idle();
  await endOne();
  await idle;
  expect(log).toEqual(["run a"]);
});
