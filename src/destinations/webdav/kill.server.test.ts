import { expect, it } from "vitest";
import { killUploads } from "../../../test/faults/kill-uploads.ts";
import { startApacheDav } from "../../../test/servers/apache-dav.ts";
import { DAV_PASSWORD, DAV_USER } from "../../../test/servers/dav-server.ts";
import { startRcloneDav } from "../../../test/servers/rclone-dav.ts";
import { createWebdavDestination } from "./webdav.ts";

it.each([
  { make: "Apache", start: startApacheDav },
  { make: "rclone", start: startRcloneDav },
])(
  "a killed upload to $make leaves nothing under the final name, and the next run removes the rest",
  { timeout: 600_000 },
  async ({ start }) => {
    const server = await start();
    const options = { url: server.url, path: "/", login: { user: DAV_USER, password: DAV_PASSWORD } };
    const destination = createWebdavDestination(options);
    await killUploads({ kind: "webdav", options }, server.root, destination);
    await destination.close();
    expect(server.program.pid).toBeGreaterThan(0);
    await server.stop();
  },
);
