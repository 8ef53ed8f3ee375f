import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

/** What the tests of restoring share: archives that hold whatever they are told to, and a look at what came out. */

export async function* inPieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** Members by Python's tarfile, which writes whatever it is told. `fields` go straight onto the TarInfo. */
export function pythonTar(lines: string): Buffer {
  const script = `
import io, sys, tarfile
out = io.BytesIO()
tar = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape")
def add(name, content=None, type=tarfile.REGTYPE, **fields):
    info = tarfile.TarInfo(name)
    info.type = type
    info.mtime = 1000000000
    data = b"" if content is None else content.encode()
    info.size = len(data)
    for key, value in fields.items(): setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))
def folder(name, **fields): add(name, type=tarfile.DIRTYPE, mode=0o755, **fields)
def link(name, to): add(name, type=tarfile.SYMTYPE, linkname=to)
def hard(name, to): add(name, type=tarfile.LNKTYPE, linkname=to)
${lines}
tar.close()
sys.stdout.buffer.write(out.getvalue())
`;
  return execFileSync("python3", ["-c", script], { maxBuffer: 1 << 28 });
}

/** Everything below a folder: path, kind, and content or target. */
export function tree(folder: string, prefix = ""): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    const stats = lstatSync(file);
    if (stats.isSymbolicLink()) out[prefix + name] = `-> ${readlinkSync(file)}`;
    else if (stats.isDirectory()) Object.assign(out, { [prefix + name]: "folder" }, tree(file, `${prefix}${name}/`));
    else out[prefix + name] = stats.isFIFO() ? "fifo" : readFileSync(file, "utf8");
  }
  return out;
}
