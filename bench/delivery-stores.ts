/** The servers that `bench/delivery.ts` sends to, and the client that each is compared with. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { startApacheDav } from "../test/servers/apache-dav.ts";
import { azureEnvironment, startAzurite } from "../test/servers/azurite.ts";
import { DAV_PASSWORD, DAV_USER } from "../test/servers/dav-server.ts";
import { FAKE_APP_KEY, FAKE_APP_SECRET, FAKE_REFRESH_TOKEN, startDropboxFake } from "../test/servers/dropbox-fake.ts";
import { makeBucket, plainClient, s3Environment } from "../test/servers/s3-server.ts";
import { SSH_USER, startSshd } from "../test/servers/sshd.ts";
import { startVersitygw } from "../test/servers/versitygw.ts";

export interface Bench {
  /** Everything that the benchmark writes lies below. */
  readonly folder: string;
  /** What we archive. */
  readonly source: string;
  /** The same as a finished archive, for the peers. */
  readonly file: string;
}

export interface Store {
  readonly port: number;
  /** Ours, for the server or for a proxy in front of it. */
  settings(port: number): Record<string, string>;
  /** Sends `$FILE`; absent: nothing common speaks to it. */
  readonly peer?: { readonly name: string; readonly command: string; env(port: number): Record<string, string> };
  /** Removes what was sent. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export const STORES: Readonly<Record<string, (bench: Bench) => Promise<Store>>> = {
  async s3({ folder }) {
    const server = await startVersitygw({ root: mkdtempSync(path.join(folder, "s3-")) });
    await makeBucket(plainClient(server), "bucket");
    return {
      port: portOf(server.host),
      settings: (port) => s3Environment({ ...server, host: `127.0.0.1:${port}` }, "bucket"),
      peer: {
        name: "rclone (s3)",
        command: 'rclone copyto "$FILE" bench:bucket/peer.tar',
        env: (port) => ({
          RCLONE_CONFIG_BENCH_TYPE: "s3",
          RCLONE_CONFIG_BENCH_PROVIDER: "Other",
          RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: server.accessKeyId,
          RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: server.secretAccessKey,
          RCLONE_CONFIG_BENCH_ENDPOINT: `http://127.0.0.1:${port}`,
          RCLONE_CONFIG_BENCH_REGION: "us-east-1",
        }),
      },
      clear: async () => emptied(path.join(server.root, "bucket")),
      stop: () => server.stop(),
    };
  },
  async ssh() {
    const server = await startSshd();
    return {
      port: server.port,
      settings: (port) => ({
        SSH_HOST_NAME: "127.0.0.1",
        SSH_PORT: String(port),
        SSH_USER,
        SSH_IDENTITY_FILE: server.keyFile,
        SSH_REMOTE_PATH: server.root,
      }),
      peer: {
        name: "sftp, synced",
        command: `echo put -f "$FILE" "$ROOT/peer.tar" | sftp -q -b - -i "$KEY" -P "$PORT" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null ${SSH_USER}@127.0.0.1`,
        env: (port) => ({ KEY: server.keyFile, PORT: String(port), ROOT: server.root }),
      },
      clear: async () => emptied(server.root),
      stop: () => server.stop(),
    };
  },
  async webdav() {
    const server = await startApacheDav();
    const urlAt = (port: number): string => {
      const url = new URL(server.url);
      url.port = String(port);
      return url.href;
    };
    return {
      port: Number(new URL(server.url).port),
      settings: (port) => ({ WEBDAV_URL: urlAt(port), WEBDAV_USERNAME: DAV_USER, WEBDAV_PASSWORD: DAV_PASSWORD }),
      peer: {
        name: "curl -T",
        command: 'curl -sSf -u "$LOGIN" -T "$FILE" "$URL"',
        env: (port) => ({ LOGIN: `${DAV_USER}:${DAV_PASSWORD}`, URL: `${urlAt(port).replace(/\/$/, "")}/peer.tar` }),
      },
      clear: async () => emptied(server.root),
      stop: () => server.stop(),
    };
  },
  async azure() {
    const server = await startAzurite();
    const container = server.container("bench");
    await container.create();
    return {
      port: server.port,
      settings: (port) => azureEnvironment({ ...server, port }, "bench"),
      // Debian's rclone reaches an emulator at its usual port only.
      async clear() {
        for await (const { name } of container.listBlobsFlat()) await container.deleteBlob(name);
      },
      stop: () => server.stop(),
    };
  },
  async dropbox({ folder }) {
    const files = mkdtempSync(path.join(folder, "dropbox-"));
    const server = await startDropboxFake({ folder: files });
    return {
      port: server.port,
      settings: (port) => ({
        DROPBOX_ENDPOINT: `http://127.0.0.1:${port}`,
        DROPBOX_REFRESH_TOKEN: FAKE_REFRESH_TOKEN,
        DROPBOX_APP_KEY: FAKE_APP_KEY,
        DROPBOX_APP_SECRET: FAKE_APP_SECRET,
        DROPBOX_REMOTE_PATH: "/bench",
      }),
      async clear() {
        // It remembers what it has.
        server.store.files.clear();
        emptied(files);
      },
      stop: () => server.close(),
    };
  },
};

function portOf(host: string): number {
  return Number(host.split(":")[1]);
}

function emptied(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true });
}
