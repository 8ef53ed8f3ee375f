import { statfsSync } from "node:fs";

/** Linux's magic numbers of file systems that show the kernel's state and hold no files of anyone's. */
const KERNEL_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x9fa0, "proc"],
  [0x62656572, "sysfs"],
  [0x1cd1, "devpts"],
  [0x27e0eb, "cgroup"],
  [0x63677270, "cgroup2"],
  [0x64626720, "debugfs"],
  [0x74726163, "tracefs"],
  [0x73636673, "securityfs"],
  [0xcafe4a11, "bpf"],
  [0x6165676c, "pstore"],
  [0xde5e81e4, "efivarfs"],
  [0x19800202, "mqueue"],
  [0x62656570, "configfs"],
  [0x42494e4d, "binfmt_misc"],
  [0x6e736673, "nsfs"],
  [0xf97cff8c, "selinuxfs"],
  [0x65735543, "fusectl"],
]);

/** The name of the kernel's file system that the folder `fd` lies on, else undefined. */
export function kernelFileSystem(fd: number): string | undefined {
  try {
    return KERNEL_FILE_SYSTEMS.get(statfsSync(`/proc/self/fd/${fd}`).type);
  } catch {
    // Refused by a sandbox, or the mount is gone; whatever is wrong with it shows when it is read.
    return undefined;
  }
}
