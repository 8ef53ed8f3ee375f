import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Destination } from "../../src/contracts/destination.ts";
import type { ConformanceSpec, ConformanceStore } from "./harness.ts";
import { connectingCases } from "./connecting-cases.ts";
import { largeCases } from "./large-cases.ts";
import { otherCases } from "./other-cases.ts";
import { storingCases } from "./storing-cases.ts";

const cases = [...storingCases, ...largeCases, ...otherCases, ...connectingCases];

/** Runs every case against fresh stores of one kind. */
export function testDestination(spec: ConformanceSpec): void {
  const exceptions = spec.exceptions ?? {};
  describe(`conformance: ${spec.label}`, () => {
    let store: ConformanceStore;
    let destination: Destination;
    beforeEach(async () => {
      store = await spec.create();
      destination = await store.open("site");
    });
    afterEach(async () => {
      await destination.close();
      await store.cleanUp();
    });
    it("names only known cases as exceptions", () => {
      const known = new Set(cases.map((entry) => entry.name));
      expect(Object.keys(exceptions).filter((name) => !known.has(name))).toEqual([]);
    });
    // The cases hold the assertions; an exception is shown with its reason.
    // oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/expect-expect, vitest/no-disabled-tests
    for (const entry of cases) {
      const reason = exceptions[entry.name];
      if (reason === undefined)
        it(entry.name, { timeout: entry.timeoutMs ?? 30_000 }, () => entry.run(destination, store, spec));
      else it.skip(`${entry.name} (not here: ${reason})`, () => undefined);
    }
  });
}
