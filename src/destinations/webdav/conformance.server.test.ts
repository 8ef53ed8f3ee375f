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

type Started = DavServer & {
  readonly options?: Partial<WebdavOptions>;
  readonly tls?: { readonly url: string; readonly authority: string };
};

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
    async openWrong(wrong) {
      return createWebdavDestination({
        url: wrong === "target" ? new URL("missing/", server.url).href : server.url,
        path: `/store-${at}/site`,
        login: { user: DAV_USER, password: wrong === "credentials" ? "wrong" : DAV_PASSWORD },
        ...server.options,
      });
    },
    async openTls(trust) {
      if (server.tls === undefined) throw new Error("this server has no TLS");
      return createWebdavDestination({
        url: server.tls.url,
        path: `/store-${at}/site`,
        login: { user: DAV_USER, password: DAV_PASSWORD },
        ...(trust === "ca" ? { caCertificate: server.tls.authority } : {}),
        isInsecure: trust === "insecure",
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

const NO_TLS: Readonly<Record<string, string>> = {
  "an unknown authority's certificate is accepted where the setting names the authority": "TLS is Apache's here",
  "an unknown authority's certificate is accepted where the check is switched off": "TLS is Apache's here",
  "an unknown authority's certificate is refused otherwise, with a setting to look at": "TLS is Apache's here",
};

async function startApache(pick: "url" | "digestUrl" | "tlsUrl"): Promise<Started> {
  const server = await startApacheDav();
  const tls = { url: server.tlsUrl, authority: server.certificates.ca };
  return {
    ...server,
    url: server[pick],
    tls,
    ...(pick === "tlsUrl" ? { options: { caCertificate: tls.authority } } : {}),
  };
}

describe.each<{ name: string; start: () => Promise<Started>; exceptions?: Readonly<Record<string, string>> }>([
  { name: "Apache with Basic", start: () => startApache("url") },
  { name: "Apache with Digest", start: () => startApache("digestUrl") },
  { name: "Apache with TLS", start: () => startApache("tlsUrl") },
  {
    name: "rclone",
    start: startRcloneDav,
    exceptions: { ...NO_TLS, [NAMES]: "rclone shows control characters in names as other characters" },
  },
  {
    name: "nginx",
    start: () => startNginxDav(),
    exceptions: { ...NO_TLS, [LEFTOVERS]: "nginx lists no names that begin with a dot, so nobody can find them" },
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
