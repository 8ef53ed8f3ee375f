import type { Destination, DestinationKind } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { PartSettings, Setting, Values } from "../contracts/setting.ts";
import { NUMBERS, numberedValues, renamer } from "../lib/numbered-settings.ts";
import { AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ENDPOINT, azureSettings } from "./azure/settings.ts";
import { DROPBOX_ENDPOINT, dropboxIsConfigured, dropboxSettings } from "./dropbox/settings.ts";
import { localIsConfigured } from "./local/configured.ts";
import { BACKUP_ARCHIVE } from "./local/settings.ts";
import { brokenDestination, relabelled } from "./relabelled.ts";
import { AWS_ENDPOINT, AWS_S3_BUCKET_NAME, s3Settings } from "./s3/settings.ts";
import { SSH_HOST_NAME, sshSettings } from "./ssh/settings.ts";
import { WEBDAV_URL, webdavSettings } from "./webdav/settings.ts";

/** What opening a destination needs beside the job's settings. */
export interface OpenContext {
  /** `BACKUP_LATEST_SYMLINK` with its variables and verbs filled in; absent: none. */
  readonly latestSymlink?: string;
  /** Where small things may be kept for later runs (pinned host keys). Absent, or not writable: nowhere. */
  readonly stateDir?: string;
  /** What went wrong beside a delivery that itself succeeded, and what a user should be told once. */
  onWarning?(text: string): void;
}

interface Registration {
  readonly kind: DestinationKind;
  isConfigured(values: Values): boolean;
  /** Loads the code of the kind, and what that needs, only now. Connects to nothing: that is part of a delivery. */
  open(values: Values, context: OpenContext): Promise<readonly Destination[]>;
}

/** Every kind of destination that is built, in the order in which they are shown. */
const registrations: readonly Registration[] = [
  {
    kind: "local",
    isConfigured: (values) => localIsConfigured(values.isSet(BACKUP_ARCHIVE), values.get(BACKUP_ARCHIVE)),
    async open(values, context) {
      const { createLocalDestination } = await import("./local/local.ts");
      const { latestSymlink } = context;
      return [
        createLocalDestination({
          folder: values.get(BACKUP_ARCHIVE),
          ...(latestSymlink === undefined || latestSymlink === "" ? {} : { latestSymlink }),
          onWarning: (text) => context.onWarning?.(text),
        }),
      ];
    },
  },
  {
    kind: "s3",
    isConfigured: (values) => values.isSet(AWS_S3_BUCKET_NAME),
    async open(values) {
      const [{ createS3Destination }, { s3OptionsFrom }] = await Promise.all([
        import("./s3/s3.ts"),
        import("./s3/options.ts"),
      ]);
      return [createS3Destination(s3OptionsFrom(values))];
    },
  },
  {
    kind: "webdav",
    isConfigured: (values) => values.isSet(WEBDAV_URL),
    async open(values, context) {
      const [{ createWebdavDestination }, { webdavOptionsOf }] = await Promise.all([
        import("./webdav/webdav.ts"),
        import("./webdav/options.ts"),
      ]);
      return [createWebdavDestination(webdavOptionsOf(values, context))];
    },
  },
  {
    kind: "ssh",
    isConfigured: (values) => values.isSet(SSH_HOST_NAME),
    async open(values, context) {
      const [{ createSshDestination }, { sshOptionsOf }] = await Promise.all([
        import("./ssh/ssh.ts"),
        import("./ssh/options.ts"),
      ]);
      return [createSshDestination(sshOptionsOf(values, context))];
    },
  },
  {
    kind: "azure",
    isConfigured: (values) => values.isSet(AZURE_STORAGE_ACCOUNT_NAME),
    async open(values) {
      const [{ createAzureDestination }, { azureOptionsFrom }] = await Promise.all([
        import("./azure/azure.ts"),
        import("./azure/options.ts"),
      ]);
      return [createAzureDestination(azureOptionsFrom(values))];
    },
  },
  {
    kind: "dropbox",
    isConfigured: dropboxIsConfigured,
    async open(values) {
      const { createDropboxDestination } = await import("./dropbox/dropbox.ts");
      const { dropboxOptions } = await import("./dropbox/options.ts");
      return [createDropboxDestination(dropboxOptions(values))];
    },
  },
];

/** The kinds of which a job may have several, by numbered sets of these settings. */
const REPEATED: Readonly<Partial<Record<DestinationKind, PartSettings>>> = {
  s3: s3Settings,
  webdav: webdavSettings,
  ssh: sshSettings,
  azure: azureSettings,
  dropbox: dropboxSettings,
};

/** The setting that says where a remote store is. */
const ADDRESSES: Readonly<Partial<Record<DestinationKind, Setting>>> = {
  s3: AWS_ENDPOINT,
  webdav: WEBDAV_URL,
  ssh: SSH_HOST_NAME,
  azure: AZURE_STORAGE_ENDPOINT,
  dropbox: DROPBOX_ENDPOINT,
};

/** Opens all destinations of a job, none where it has none, each with a label of its own; the caller closes them. */
export async function openDestinations(job: Job, context: OpenContext = {}): Promise<readonly Destination[]> {
  const opened: Destination[] = [];
  for (const entry of registrations) {
    for (const set of setsOf(entry, job.values)) {
      if (!entry.isConfigured(set.values)) continue;
      for (const destination of await openSet(entry, set, context)) {
        const label = uniqueLabel(destination.label, opened);
        const addressSetting = ADDRESSES[entry.kind];
        opened.push(
          addressSetting === undefined
            ? destination
            : relabelled(destination, { label, addressSetting: addressSetting.key, rename: set.rename }),
        );
      }
    }
  }
  return opened;
}

/** The plain settings of a kind, or one of their numbered sets. */
interface SettingSet {
  readonly number: number;
  readonly values: Values;
  /** Names the settings in a text as the user wrote them. */
  rename(text: string): string;
}

function setsOf({ kind }: Registration, values: Values): readonly SettingSet[] {
  const part = REPEATED[kind];
  const plain: SettingSet = { number: 1, values, rename: (text) => text };
  if (part === undefined) return [plain];
  return [
    plain,
    ...NUMBERS.map((number) => ({
      number,
      values: numberedValues(values, part, number),
      rename: renamer(part, number),
    })),
  ];
}

/** One that can't be opened (an unreadable key, a library that does not load) fails alone, in its own delivery. */
async function openSet(
  entry: Registration,
  { number, values }: SettingSet,
  context: OpenContext,
): Promise<readonly Destination[]> {
  try {
    return await entry.open(values, context);
  } catch (error) {
    return [brokenDestination(entry.kind, number === 1 ? entry.kind : `${entry.kind}-${number}`, error)];
  }
}

/** Two stores may have the same address and folder but other credentials: a label stands for one of them in all that is kept. */
function uniqueLabel(label: string, opened: readonly Destination[]): string {
  const isTaken = (text: string): boolean => opened.some((destination) => destination.label === text);
  if (!isTaken(label)) return label;
  let number = 2;
  while (isTaken(`${label} (${number})`)) number += 1;
  return `${label} (${number})`;
}
