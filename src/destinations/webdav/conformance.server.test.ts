import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
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
      const folder = path.join(root, prefix);
      mkdirSync(folder, { recursive: true });
      const dead = partialName(name, owner).replace(`-${process.pid}-`, "-4194999-");
      writeFileSync(path.join(folder, dead), "half");
      const { uid, gid } = statSync(server.root);
      execFileSync("chown", ["-R", `${uid}:${gid}`, root]);
    },
    async cleanUp() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

describe.each<{ name: string; start: () => Promise<Started> }>([
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
  { name: "rclone", start: startRcloneDav },
  { name: "nginx", start: () => startNginxDav() },
])("$name", ({ name, start }) => {
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
    create: async () => storeOn(server, (stores += 1)),
  });
});
