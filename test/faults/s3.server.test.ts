import { openFaults } from "./fault-cases.ts";
import { testFaults } from "./fault-suite.ts";
import { faultKinds } from "./kinds.ts";

testFaults(faultKinds.s3, openFaults);
