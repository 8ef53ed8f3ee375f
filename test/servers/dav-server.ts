import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "./program.ts";

export const DAV_USER = "backup";
export const DAV_PASSWORD = 'gëheim "zitat" $1';

export interface DavServer {
  /** Of the collection that tests put theirs into. */
  readonly url: string;
  /** The same collection in the file system. */
  readonly root: string;
  readonly program: Program;
  stop(): Promise<void>;
}

/** A folder that the server's account may write to, below one that it may cross. */
export function dataFolder(folder: string, account: string): string {
  execFileSync("chmod", ["0755", folder]);
  const data = join(folder, "data");
  mkdirSync(data, { recursive: true });
  if (process.getuid?.() === 0) execFileSync("chown", [`${account}:${account}`, data]);
  return data;
}
