import { constants, openSync } from "node:fs";
import { systemCode } from "../../lib/errors.ts";
import { below } from "./folder-chain.ts";

/** Never a link's target, and never a wait for a FIFO's other end. */
const FILE_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens a file for reading, leaving its access time alone where the system permits that. Throws the system's error. */
export type FileOpener = (parentFd: number, name: string, ownerUid: number) => number;

export function createFileOpener(): FileOpener {
  const ownUid = process.geteuid?.();
  // Only the owner and privileged processes may ask for it; the first refusal tells that this is neither.
  let mayAskForAnyFile = true;
  return (parentFd, name, ownerUid) => {
    const path = below(parentFd, name);
    if (mayAskForAnyFile || ownerUid === ownUid) {
      try {
        return openSync(path, FILE_FLAGS | constants.O_NOATIME);
      } catch (error) {
        if (systemCode(error) !== "EPERM") throw error;
        mayAskForAnyFile = false;
      }
    }
    return openSync(path, FILE_FLAGS);
  };
}
