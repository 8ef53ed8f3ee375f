import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { freePort, type Program, startProgram, temporaryFolder } from "./program.ts";

export interface RcloneSftp {
  readonly port: number;
  readonly root: string;
  readonly program: Program;
  stop(): Promise<void>;
}

export const RCLONE_USER = "backup";
export const RCLONE_PASSWORD = "geheim";

/** `rclone serve sftp` without a cache: a third make of SFTP, and one that needs its writes in order. */
export async function startRcloneSftp(): Promise<RcloneSftp> {
  const folder = temporaryFolder();
  const root = join(folder, "data");
  mkdirSync(root);
  const port = await freePort();
  const program = await startProgram({
    command: "rclone",
    args: ["serve", "sftp", root, "--addr", `127.0.0.1:${port}`, "--user", RCLONE_USER, "--pass", RCLONE_PASSWORD],
    port,
    environment: { HOME: folder, RCLONE_CONFIG: join(folder, "none.conf"), XDG_CACHE_HOME: folder },
  });
  return {
    port,
    root,
    program,
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
