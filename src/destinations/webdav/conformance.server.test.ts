import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { testDestination } from "../../../test/conformance/destination-suite.ts";
import type { ConformanceStore } from "../../../test/conformance/harness.ts";
import { startApacheDav } from "../../../test/servers/apache-dav.ts";
import { DAV_PASSWORD, DAV_USER, type DavServer } from "../../../test/servers/dav-server.ts";
import { startNginxDav } from "../../../test/servers/nginx-dav.ts";
import { startRcloneDav } from "../../../test/servers/rclone-dav.ts";
import { partialName } from "../partial-name.ts";
import type { WebdavOptions } from "./options.ts";
import { createWebdavDestination } from "./webdav.ts";

type Started = DavServer & { readonly options?: Partial<WebdavOptions> };

const NAMES = "accepts names with blanks, other scripts, quotes and line breaks";
const LEFTOVERS = "own leftovers go at once, a neighbour's stay, finished archives too";

function storeOn(server: Started, at: number): ConformanceStore {
  const root = path.join(server.root, `store-${at}`);
  return {
    async open(prefix) {
      return createWebdavDestination({
        url: server.url,
        path: `/store-${at}/${prefix}`,
        login: { user: DAV_USER, password: DAV_PASSWORD },
        ...server.options,
      });
    },
    async rawNames(prefix) {
      const folder = path.join(root, prefix);
      if (!existsSync(folder)) return [];
      const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
      return names.filter((name) => !statSync(path.join(folder, name)).isDirectory());
    },
    async plantLeftover(prefix, name, owner) {
      const dead = partialName(name, owner).replace(`-${process.pid}-`, "-4194999-");
      // Through the server: rclone does not see what is put beside it. The folder is there already.
      const folder = new URL(`store-${at}/${prefix}/`, server.url);
      execFileSync(
        "curl",
        ["-sSfk", "--anyauth", "-u", `${DAV_USER}:${DAV_PASSWORD}`, "-T", "-", new URL(dead, folder).href],
        {
          input: "half",
          stdio: ["pipe", "pipe", "pipe"],
        },
      );
    },
    async cleanUp() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

describe.each<{ name: string; start: () => Promise<Started>; exceptions?: Readonly<Record<string, string>> }>([
  { name: "Apache with Basic", start: () => startApacheDav() },
  {
    name: "Apache with Digest",
    async start() {
      const server = await startApacheDav();
      return { ...server, url: server.digestUrl };
    },
  },
  {
    name: "Apache with TLS",
    async start() {
      const server = await startApacheDav();
      return { ...server, url: server.tlsUrl, options: { caCertificate: server.certificate.authority } };
    },
  },
  {
    name: "rclone",
    start: startRcloneDav,
    exceptions: { [NAMES]: "rclone shows control characters in names as other characters" },
  },
  {
    name: "nginx",
    start: () => startNginxDav(),
    exceptions: { [LEFTOVERS]: "nginx lists no names that begin with a dot, so nobody can find them" },
  },
])("$name", ({ name, start, exceptions }) => {
  let server: Started;
  let stores = 0;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    await server.stop();
  });
  testDestination({
    label: `WebDAV on ${name}`,
    kind: "webdav",
    secrets: [DAV_PASSWORD],
    ...(exceptions === undefined ? {} : { exceptions }),
    create: async () => storeOn(server, (stores += 1)),
  });
});
