import type { Destination } from "../../src/contracts/destination.ts";
import { createDropboxDestination } from "../../src/destinations/dropbox/dropbox.ts";
import { type DropboxOptions, endpointsOf } from "../../src/destinations/dropbox/options.ts";
import { FAKE_APP_KEY, FAKE_APP_SECRET, FAKE_REFRESH_TOKEN } from "./dropbox-fake.ts";

/** A destination at a fake, or at a proxy in front of one. */
export function dropboxAt(origin: string, changes: Partial<DropboxOptions> = {}): Destination {
  return createDropboxDestination({
    credentials: { refreshToken: FAKE_REFRESH_TOKEN, appKey: FAKE_APP_KEY, appSecret: FAKE_APP_SECRET },
    remotePath: "/site",
    concurrency: 6,
    endpoints: endpointsOf(origin, undefined),
    ...changes,
  });
}

/** The settings that lead to a fake. */
export function dropboxEnvironment(origin: string, remotePath: string): Record<string, string> {
  return {
    DROPBOX_REFRESH_TOKEN: FAKE_REFRESH_TOKEN,
    DROPBOX_APP_KEY: FAKE_APP_KEY,
    DROPBOX_APP_SECRET: FAKE_APP_SECRET,
    DROPBOX_REMOTE_PATH: remotePath,
    DROPBOX_ENDPOINT: origin,
    DROPBOX_OAUTH2_ENDPOINT: origin,
  };
}
