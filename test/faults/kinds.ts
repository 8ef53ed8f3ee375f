import { createHash } from "node:crypto";
import { chmod, chown } from "node:fs/promises";
import { join } from "node:path";
import type { Destination } from "../../src/contracts/destination.ts";
import { openDestinations } from "../../src/destinations/index.ts";
import { startApacheDav } from "../servers/apache-dav.ts";
import { azureEnvironment, startAzurite } from "../servers/azurite.ts";
import { DAV_PASSWORD, DAV_USER, type DavServer } from "../servers/dav-server.ts";
import { startDropboxFake } from "../servers/dropbox-fake.ts";
import { dropboxEnvironment } from "../servers/dropbox-destination.ts";
import { jobFrom } from "../servers/job-values.ts";
import { startRcloneDav } from "../servers/rclone-dav.ts";
import { everythingIn, makeBucket, plainClient, s3Environment } from "../servers/s3-server.ts";
import { ensureAccount, SSH_PASSWORD, SSH_USER, startSshd } from "../servers/sshd.ts";
import { startVersitygw } from "../servers/versitygw.ts";
import { filesBelow, hashesOf, sha256OfFile } from "./stored-files.ts";

/** One kind of destination in front of a real server, as the fault table and the kill script need it. */
export interface FaultKind {
  readonly label: string;
  /** Bad answers can be put in front of it. */
  readonly speaksHttp: boolean;
  /** An upload that is cut goes on by itself, also where its bytes can't be read a second time. */
  readonly resumes: boolean;
  /** Why a full disk can't be told from other failures, where that is so. */
  readonly hidesFullDisk?: string;
  /** Why a disk stays full when the upload that filled it has failed, where that is so. */
  readonly keepsDiskFull?: string;
  /** Cases that this kind can't pass, each with its reason. An unknown name is an error. */
  readonly exceptions?: Readonly<Record<string, string>>;
  /** Starts the server. What it stores lies in `folder`, where one is given. */
  start(folder?: string): Promise<FaultServer>;
}

export interface FaultServer {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** A job's settings for a folder of its own, reached over `port`: the server's own, or a proxy's. */
  settings(port: number, prefix: string): Readonly<Record<string, string>>;
  /** What the store's own tools show below a folder, the unfinished and hidden left out: SHA-256 by name. */
  look(prefix: string): Promise<ReadonlyMap<string, string>>;
  /** What they show of unfinished uploads. */
  unfinished(prefix: string): Promise<readonly string[]>;
  /** What the store itself clears away in time: Dropbox drops unfinished sessions after seven days. */
  daysPass?(): void;
  stop(): Promise<void>;
}

/** The destination of a job with these settings alone. */
export async function openFrom(settings: Readonly<Record<string, string>>): Promise<Destination> {
  const [destination, ...more] = await openDestinations(await jobFrom({ ...settings, BACKUP_ARCHIVE: "" }));
  if (destination === undefined || more.length > 0) throw new Error("the settings must name one destination");
  return destination;
}

export type FaultKindName = "dropbox" | "s3" | "ssh" | "webdav" | "webdavRclone" | "azure";

const BUCKET = "faults";
/** Dropbox's sessions and Azure's blocks that were never committed are seen by nobody else; they go after a week. */
const NOTHING_TO_SEE = async (): Promise<readonly string[]> => [];

export const faultKinds: Readonly<Record<FaultKindName, FaultKind>> = {
  dropbox: {
    label: "Dropbox (our fake)",
    speaksHttp: true,
    resumes: true,
    async start(folder) {
      const fake = await startDropboxFake(folder === undefined ? {} : { folder });
      return {
        port: fake.port,
        settings: (port, prefix) => dropboxEnvironment(`http://127.0.0.1:${port}`, prefix),
        async look(prefix) {
          const found = new Map<string, string>();
          for (const file of fake.store.files.values()) {
            if (file.path === `/${prefix}/${file.name}`) found.set(file.name, await sha256OfFile(file.blob));
          }
          return found;
        },
        unfinished: NOTHING_TO_SEE,
        daysPass: () => fake.store.dropSessions(),
        stop: () => fake.close(),
      };
    },
  },
  s3: {
    label: "S3 (versitygw)",
    speaksHttp: true,
    resumes: true,
    async start(folder) {
      const server = await startVersitygw(folder === undefined ? {} : { root: folder });
      const client = plainClient(server);
      await makeBucket(client, BUCKET);
      return {
        port: Number(server.host.split(":")[1]),
        settings: (port, prefix) => ({ ...s3Environment(server, BUCKET, prefix), AWS_ENDPOINT: `127.0.0.1:${port}` }),
        look: (prefix) => hashesOf(join(server.root, BUCKET, prefix)),
        async unfinished(prefix) {
          const names = await everythingIn(client, BUCKET, `${prefix}/`);
          return names.filter((name) => name.startsWith("upload ") || name.includes(".lifeboat/uploads/"));
        },
        async stop() {
          client.destroy();
          await server.stop();
        },
      };
    },
  },
  ssh: {
    label: "SSH (OpenSSH)",
    speaksHttp: false,
    resumes: true,
    async start(folder) {
      const server = await startSshd();
      const root = folder ?? server.root;
      const { uid, gid } = ensureAccount();
      await chown(root, uid, gid);
      await chmod(root, 0o755);
      return {
        port: server.port,
        settings: (port, prefix) => ({
          SSH_HOST_NAME: "127.0.0.1",
          SSH_PORT: String(port),
          SSH_USER,
          SSH_PASSWORD,
          SSH_REMOTE_PATH: join(root, prefix),
        }),
        look: (prefix) => hashesOf(join(root, prefix)),
        unfinished: async (prefix) => partialFiles(join(root, prefix)),
        stop: () => server.stop(),
      };
    },
  },
  webdav: {
    label: "WebDAV (Apache)",
    speaksHttp: true,
    resumes: false,
    async start(folder) {
      const server = await startApacheDav(folder === undefined ? {} : { data: folder });
      return davServer(server);
    },
  },
  webdavRclone: {
    label: "WebDAV (rclone)",
    hidesFullDisk: "rclone answers any failed write in the same way",
    speaksHttp: true,
    resumes: false,
    async start(folder) {
      return davServer(await startRcloneDav(folder));
    },
  },
  azure: {
    label: "Azure Blob (Azurite)",
    hidesFullDisk: "Azure has no full disks: its emulator answers 500",
    keepsDiskFull: "the emulator keeps blocks that were never committed until it sweeps its disk",
    speaksHttp: true,
    resumes: true,
    async start(folder) {
      const server = await startAzurite(folder);
      const container = server.container(BUCKET);
      await container.create();
      return {
        port: server.port,
        settings: (port, prefix) => ({
          ...azureEnvironment(server, BUCKET, prefix),
          AZURE_STORAGE_ENDPOINT: `http://127.0.0.1:${port}/{{ .AccountName }}/`,
        }),
        async look(prefix) {
          const found = new Map<string, string>();
          for await (const { name } of container.listBlobsFlat({ prefix: `${prefix}/` })) {
            const hash = createHash("sha256");
            const { readableStreamBody } = await container.getBlobClient(name).download();
            if (readableStreamBody !== undefined) for await (const chunk of readableStreamBody) hash.update(chunk);
            found.set(name.slice(prefix.length + 1), hash.digest("hex"));
          }
          return found;
        },
        unfinished: NOTHING_TO_SEE,
        stop: () => server.stop(),
      };
    },
  },
};

function davServer(server: DavServer): FaultServer {
  return {
    port: Number(new URL(server.url).port),
    settings: (port, prefix) => ({
      WEBDAV_URL: `http://127.0.0.1:${port}/`,
      WEBDAV_PATH: `/${prefix}`,
      WEBDAV_USERNAME: DAV_USER,
      WEBDAV_PASSWORD: DAV_PASSWORD,
    }),
    look: (prefix) => hashesOf(join(server.root, prefix)),
    unfinished: async (prefix) => partialFiles(join(server.root, prefix)),
    stop: () => server.stop(),
  };
}

function partialFiles(folder: string): string[] {
  return filesBelow(folder).filter((name) => name.endsWith(".partial"));
}
