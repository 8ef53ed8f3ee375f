import { afterEach, beforeEach, expect, it } from "vitest";
import { RunBox } from "../../test/delivery/run-box.ts";
import type { Destination } from "../contracts/destination.ts";
import { Interruption } from "../lib/interruption.ts";
import { recordRun } from "./record-phase.ts";

let box: RunBox;
beforeEach(() => {
  box = new RunBox();
});
afterEach(() => box.dispose());

const never = new Promise<never>(() => undefined);

/** Tells as soon as it is asked, and never answers. */
const hanging = {
  put: (far: Destination, asked: () => void): Destination => ({ ...far, put: () => (asked(), never) }),
  list: (far: Destination, asked: () => void): Destination => ({
    ...far,
    // oxlint-disable-next-line require-yield -- it never comes so far
    async *list() {
      asked();
      await never;
    },
  }),
};

it.each([
  ["leaves its record", "put"],
  ["removes old records", "list"],
] as const)(
  "a run that is stopped while it %s at a store that hangs ends soon",
  { timeout: 10_000 },
  async (_, call) => {
    const stopping = new AbortController();
    const context = await box.context({}, stopping.signal);
    const recorder = box.recorder(context);
    recorder.delivered([{ destination: "far", kind: "ssh", status: "stored", durationMs: 1, attempts: 1 }]);
    const history = await box.history(context);
    const stop = (): void => stopping.abort(new Interruption("signal", "stopped by SIGTERM"));
    const destinations = [hanging[call](box.remote("far"), stop)];
    expect((await recordRun({ context, recorder, history, destinations })).status).toBe("success");
    history.close();
  },
);
