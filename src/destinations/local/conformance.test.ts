import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { testDestination } from "../../../test/conformance/destination-suite.ts";
import { createLocalDestination } from "./local.ts";
import { partialName } from "../partial-name.ts";

const NO_NETWORK = "a folder has no certificate";

testDestination({
  label: "local folder",
  kind: "local",
  exceptions: {
    "wrong credentials are refused, by connect and by put, with a setting to look at": "a folder has no credentials",
    "an unknown authority's certificate is accepted where the setting names the authority": NO_NETWORK,
    "an unknown authority's certificate is accepted where the check is switched off": NO_NETWORK,
    "an unknown authority's certificate is refused otherwise, with a setting to look at": NO_NETWORK,
  },
  async create() {
    const root = mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
    return {
      async open(prefix) {
        mkdirSync(path.join(root, prefix), { recursive: true });
        return createLocalDestination({ folder: path.join(root, prefix) });
      },
      async rawNames(prefix) {
        const folder = path.join(root, prefix);
        const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
        return names.filter((name) => !statSync(path.join(folder, name)).isDirectory());
      },
      async plantLeftover(prefix, name, owner) {
        // The name that this process would use, of a process that cannot exist any more.
        const dead = partialName(name, owner).replace(`-${process.pid}-`, "-4194999-");
        writeFileSync(path.join(root, prefix, dead), "half");
      },
      async openWrong() {
        return createLocalDestination({ folder: path.join(root, "not-mounted") });
      },
      async cleanUp() {
        rmSync(root, { recursive: true });
      },
    };
  },
});
