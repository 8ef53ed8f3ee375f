import { vi } from "vitest";
import { silentFaults } from "./fault-cases.ts";
import { testFaults } from "./fault-suite.ts";
import { faultKinds } from "./kinds.ts";

// Minutes are what the limits are made of; every kind reads them from this one file.
vi.mock("../../src/destinations/limits.ts", async () => (await import("./fault-cases.ts")).SHORT_LIMITS);

for (const kind of Object.values(faultKinds)) testFaults(kind, silentFaults);
