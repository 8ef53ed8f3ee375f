import type { Values } from "../../contracts/setting.ts";
import { CONNECT_MS, IDLE_MS, SILENCE_MS, SMALL_CALL_MS } from "../limits.ts";
import {
  DROPBOX_APP_KEY,
  DROPBOX_APP_SECRET,
  DROPBOX_CONCURRENCY_LEVEL,
  DROPBOX_ENDPOINT,
  DROPBOX_OAUTH2_ENDPOINT,
  DROPBOX_REFRESH_TOKEN,
  DROPBOX_REMOTE_PATH,
} from "./settings.ts";

/** How long Dropbox may stay silent, milliseconds; see `../limits.ts`. */
export interface DropboxLimits {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly silenceMs: number;
  readonly smallCallMs: number;
}

export interface DropboxCredentials {
  readonly refreshToken: string;
  readonly appKey: string;
  readonly appSecret: string;
}

/** Where the API's two parts answer, each without a slash at the end. */
export interface DropboxEndpoints {
  readonly api: string;
  readonly content: string;
  readonly token: string;
}

export interface DropboxOptions {
  readonly credentials: DropboxCredentials;
  /** As the user wrote it; the folder is made by the first upload. */
  readonly remotePath: string;
  /** Blocks on their way at the same time; memory may allow fewer. */
  readonly concurrency: number;
  readonly endpoints: DropboxEndpoints;
  /** Only tests wait less. */
  readonly limits?: Partial<DropboxLimits>;
}

const API = "https://api.dropboxapi.com";
const CONTENT = "https://content.dropboxapi.com";

/** The addresses that mean Dropbox itself: the image that Lifeboat replaces has the second as its default. */
const DROPBOX_ITSELF = new Set([API, "https://api.dropbox.com"]);

export const DEFAULT_LIMITS: DropboxLimits = {
  connectMs: CONNECT_MS,
  idleMs: IDLE_MS,
  silenceMs: SILENCE_MS,
  smallCallMs: SMALL_CALL_MS,
};

/** Of a job for which Dropbox is configured; the rules of the settings have seen to it that all three keys are there. */
export function dropboxOptions(values: Values): DropboxOptions {
  return {
    credentials: {
      refreshToken: values.get(DROPBOX_REFRESH_TOKEN) ?? "",
      appKey: values.get(DROPBOX_APP_KEY) ?? "",
      appSecret: values.get(DROPBOX_APP_SECRET) ?? "",
    },
    remotePath: values.get(DROPBOX_REMOTE_PATH) ?? "",
    concurrency: values.get(DROPBOX_CONCURRENCY_LEVEL),
    endpoints: endpointsOf(values.get(DROPBOX_ENDPOINT), values.get(DROPBOX_OAUTH2_ENDPOINT)),
  };
}

/** One address stands for both of Dropbox's hosts, as in the image that Lifeboat replaces. */
export function endpointsOf(api: string | undefined, token: string | undefined): DropboxEndpoints {
  const given = withoutSlash(api ?? API);
  const isDropbox = DROPBOX_ITSELF.has(given);
  return {
    api: isDropbox ? API : given,
    content: isDropbox ? CONTENT : given,
    token: withoutSlash(token ?? (isDropbox ? API : given)),
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
