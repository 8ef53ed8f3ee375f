import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";

/** What tells a file from all others of the machine. */
export interface FileId {
  /** As `st_dev` has it. */
  readonly device: number;
  /** The inode's number in halves: a whole one may be larger than a double can say exactly. */
  readonly inodeLow: number;
  readonly inodeHigh: number;
}

export function isSameFile(a: FileId, b: FileId): boolean {
  return a.inodeLow === b.inodeLow && a.device === b.device && a.inodeHigh === b.inodeHigh;
}

/** A copy that stays when the `FileStat` is filled anew. */
export function fileIdOf({ device, inodeLow, inodeHigh }: FileId): FileId {
  return { device, inodeLow, inodeHigh };
}

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFSOCK, S_IFIFO, S_IFCHR } = constants;
const BYTES = 256;
const HALF = 2 ** 32;

/**
 * What the system says about a file, filled anew by each call: the kernel's `struct statx`, whose layout is the same on
 * all (little-endian) machines. A million of them cost no garbage.
 */
export class FileStat implements FileId {
  readonly bytes = new ArrayBuffer(BYTES);
  readonly #words = new Uint32Array(this.bytes);
  readonly #signed = new Int32Array(this.bytes);
  readonly #longs = new BigUint64Array(this.bytes);

  get nlink(): number {
    return this.#words[4] ?? 0;
  }
  get uid(): number {
    return this.#words[5] ?? 0;
  }
  get gid(): number {
    return this.#words[6] ?? 0;
  }
  /** Type and permission bits. */
  get mode(): number {
    return (this.#words[7] ?? 0) & 0xffff;
  }
  get inodeLow(): number {
    return this.#words[8] ?? 0;
  }
  get inodeHigh(): number {
    return this.#words[9] ?? 0;
  }
  get ino(): bigint {
    return this.#longs[4] ?? 0n;
  }
  get sizeBytes(): number {
    return (this.#words[10] ?? 0) + (this.#words[11] ?? 0) * HALF;
  }
  /** Rounded down; what is missing is in the nanoseconds, which are never negative. */
  get ctimeSeconds(): number {
    return (this.#words[24] ?? 0) + (this.#signed[25] ?? 0) * HALF;
  }
  get ctimeNanoseconds(): number {
    return this.#words[26] ?? 0;
  }
  get mtimeSeconds(): number {
    return (this.#words[28] ?? 0) + (this.#signed[29] ?? 0) * HALF;
  }
  get mtimeNanoseconds(): number {
    return this.#words[30] ?? 0;
  }
  get deviceMajor(): number {
    return this.#words[32] ?? 0;
  }
  get deviceMinor(): number {
    return this.#words[33] ?? 0;
  }
  /** Of the file system that the file lies on, in Linux's layout of `dev_t`: the kernel uses 32 bits of it. */
  get device(): number {
    const major = this.#words[34] ?? 0;
    const minor = this.#words[35] ?? 0;
    return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
  }

  isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }
  isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }
  isSymbolicLink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }
  isSocket(): boolean {
    return (this.mode & S_IFMT) === S_IFSOCK;
  }
  isFIFO(): boolean {
    return (this.mode & S_IFMT) === S_IFIFO;
  }
  isCharacterDevice(): boolean {
    return (this.mode & S_IFMT) === S_IFCHR;
  }

  fill(stats: BigIntStats): void {
    const words = this.#words;
    words[4] = Number(BigInt.asUintN(32, stats.nlink));
    words[5] = Number(stats.uid);
    words[6] = Number(stats.gid);
    words[7] = Number(stats.mode);
    this.#longs[4] = stats.ino;
    this.#longs[5] = stats.size;
    this.#fillTime(12, stats.ctimeNs);
    this.#fillTime(14, stats.mtimeNs);
    this.#fillDevice(32, stats.rdev);
    this.#fillDevice(34, stats.dev);
  }

  #fillTime(at: number, ns: bigint): void {
    const fraction = BigInt.asUintN(64, ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS);
    this.#longs[at] = BigInt.asUintN(64, (ns - fraction) / SECOND_NS);
    this.#longs[at + 1] = fraction;
  }

  /** Linux's layout of `dev_t`. */
  #fillDevice(at: number, device: bigint): void {
    this.#words[at] = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n));
    this.#words[at + 1] = Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n));
  }
}

const SECOND_NS = 1_000_000_000n;
