import type { Destination, DestinationKind } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { Values } from "../contracts/setting.ts";
import { AZURE_STORAGE_ACCOUNT_NAME } from "./azure/settings.ts";
import { dropboxIsConfigured } from "./dropbox/settings.ts";
import { localIsConfigured } from "./local/configured.ts";
import { BACKUP_ARCHIVE } from "./local/settings.ts";
import { AWS_S3_BUCKET_NAME } from "./s3/settings.ts";
import { SSH_HOST_NAME } from "./ssh/settings.ts";

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

/** The kinds that a job delivers to. */
export function configuredKinds(job: Job): readonly DestinationKind[] {
  return registrations.filter((entry) => entry.isConfigured(job.values)).map((entry) => entry.kind);
}

/** Opens all destinations of a job, none where it has none; the caller closes them. */
export async function openDestinations(job: Job, context: OpenContext = {}): Promise<readonly Destination[]> {
  const opened: Destination[] = [];
  for (const entry of registrations) {
    if (entry.isConfigured(job.values)) opened.push(...(await entry.open(job.values, context)));
  }
  return opened;
}
