import { readFileSync, rmSync } from "node:fs";
import { testDestination } from "../../../test/conformance/destination-suite.ts";
import { dropboxAt } from "../../../test/servers/dropbox-destination.ts";
import {
  type DropboxFake,
  FAKE_APP_KEY,
  FAKE_APP_SECRET,
  FAKE_REFRESH_TOKEN,
  startDropboxFake,
} from "../../../test/servers/dropbox-fake.ts";

import { temporaryFolder } from "../../../test/servers/program.ts";
import { makeCertificates } from "../../../test/servers/certificates.ts";

const NO_SETTING = "Dropbox is one service with a public certificate: there is no setting";

function rawNames(fake: DropboxFake, prefix: string): string[] {
  return [...fake.store.files.values()]
    .filter((file) => file.path.startsWith(`/${prefix}/`))
    .map((file) => file.path.slice(prefix.length + 2));
}

testDestination({
  label: "Dropbox (our fake)",
  kind: "dropbox",
  partBytes: 4 * 1024 * 1024,
  secrets: [FAKE_APP_KEY, FAKE_APP_SECRET, FAKE_REFRESH_TOKEN, "wrong-token", "sl."],
  exceptions: {
    "accepts a backslash in a name": "Dropbox refuses it; see dropbox.test.ts",
    "tells names that differ in case only apart": "to Dropbox they are the same file; see dropbox.test.ts",
    "own leftovers go at once, a neighbour's stay, finished archives too":
      "what an aborted upload leaves can't be seen or removed: a session, which Dropbox drops after seven days",
    "an unknown authority's certificate is accepted where the setting names the authority": NO_SETTING,
    "an unknown authority's certificate is accepted where the check is switched off": NO_SETTING,
  },
  async create() {
    const fake = await startDropboxFake();
    const more: DropboxFake[] = [];
    const folder = temporaryFolder();
    return {
      open: async (prefix) => dropboxAt(fake.origin, { remotePath: prefix }),
      rawNames: async (prefix) => rawNames(fake, prefix),
      async plantLeftover() {
        throw new Error("nothing can be planted");
      },
      async openWrong(wrong) {
        if (wrong === "credentials") {
          const credentials = { refreshToken: "wrong-token", appKey: FAKE_APP_KEY, appSecret: FAKE_APP_SECRET };
          return dropboxAt(fake.origin, { credentials });
        }
        // Missing folders are made; one that can't be made is a file.
        await fake.store.commit(fake.store.begin(false), "/taken", "add", false);
        return dropboxAt(fake.origin, { remotePath: "/taken" });
      },
      async openTls() {
        const certificates = makeCertificates(folder);
        const tls = { cert: readFileSync(certificates.certificateFile), key: readFileSync(certificates.keyFile) };
        const own = await startDropboxFake({ tls });
        more.push(own);
        return dropboxAt(own.origin);
      },
      async cleanUp() {
        for (const one of [fake, ...more]) await one.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
});
