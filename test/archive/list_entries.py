"""Lists a tar archive from standard input, one JSON object a line; bytes of names as latin1 characters."""
import hashlib
import io
import json
import sys
import tarfile


def text(name):
    return name.encode("utf-8", "surrogateescape").decode("latin1")


archive = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()), mode="r:", encoding="utf-8", errors="surrogateescape")
for member in archive:
    content = archive.extractfile(member).read() if member.isreg() else b""
    print(json.dumps({
        "name": text(member.name), "type": member.type.decode(), "mode": member.mode, "uid": member.uid,
        "gid": member.gid, "size": member.size, "link": text(member.linkname),
        "mtime": member.pax_headers.get("mtime", str(int(member.mtime))),
        "major": member.devmajor, "minor": member.devminor, "sha256": hashlib.sha256(content).hexdigest(),
    }))
