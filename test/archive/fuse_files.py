"""A file system of files that fail: fuse_files.py FOLDER JSON, as root. Speaks the kernel's FUSE protocol itself, needs no library.

JSON: {"name": {"size": bytes, "error": errno, "from": offset, "hang": "open" | "read" | "stop"}}; a name that ends with a slash is a
folder, "hang": "list" one that is never listed. Reads fail with the errno from the offset on; what hangs is never answered.
"stop" stops the whole server before an open.
Prints a line when mounted, and one for each call that hangs. Whoever ends it sets free what hangs, and unmounts the folder.
"""

import ctypes
import errno
import json
import os
import signal
import stat
import struct
import sys

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = 1, 2, 3, 14, 15, 17, 18, 25, 26, 27, 28, 29
INTERRUPT, BATCH_FORGET, DESTROY = 36, 42, 38
FOPEN_DIRECT_IO = 1
ROOT = 1

mountpoint = sys.argv[1]
files = json.loads(sys.argv[2])
names = sorted(files)

device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"lifeboat-test", mountpoint.encode(), b"fuse", 6, options.encode()) != 0:
    sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
print("mounted", flush=True)


def file_of(node):
    return {"folder": True} if node == ROOT else files[names[node - 2]]


def is_folder(node):
    return node == ROOT or names[node - 2].endswith("/")


def attributes(node):
    mode = stat.S_IFDIR | 0o755 if is_folder(node) else stat.S_IFREG | 0o644
    size = file_of(node).get("size", 0)
    when = 1_700_000_000
    return struct.pack("<6Q10I", node, size, 0, when, when, when, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def listing(offset):
    out = b""
    for at, name in list(enumerate(names, 1))[offset:]:
        text = name.rstrip("/").encode()
        kind = 4 if name.endswith("/") else 8
        entry = struct.pack("<QQII", at + 1, at, len(text), kind) + text
        out += entry + b"\0" * (-len(entry) % 8)
    return out


def answer(operation, node, body):
    """The reply's bytes, an errno, or None for no reply at all."""
    if operation == INIT:
        return struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 131072, 1, 0, 0, 0)
    if operation == LOOKUP:
        name = body.rstrip(b"\0").decode()
        found = next((at for at, each in enumerate(names) if each.rstrip("/") == name), None)
        if node != ROOT or found is None:
            return errno.ENOENT
        return struct.pack("<QQQQII", found + 2, 0, 0, 0, 0, 0) + attributes(found + 2)
    if operation == GETATTR:
        return struct.pack("<QII", 0, 0, 0) + attributes(node)
    if operation in (OPEN, OPENDIR):
        hangs = file_of(node).get("hang") == ("open" if operation == OPEN else "list")
        return None if hangs else struct.pack("<QII", 0, FOPEN_DIRECT_IO if operation == OPEN else 0, 0)
    if operation == READ:
        offset, size = struct.unpack_from("<8xQI", body)
        file = file_of(node)
        if file.get("hang") == "read":
            return None
        end = min(file["size"], offset + size)
        if "error" in file:
            if offset >= file["from"]:
                return file["error"]
            end = min(end, file["from"])
        return b"x" * (end - offset)
    if operation == READDIR:
        return listing(struct.unpack_from("<8xQ", body)[0]) if node == ROOT else b""
    if operation in (RELEASE, RELEASEDIR, FLUSH, DESTROY):
        return b""
    return errno.ENOSYS


while True:
    request = os.read(device, 1 << 20)
    _, operation, unique, node = struct.unpack_from("<IIQQ", request)
    if operation in (FORGET, BATCH_FORGET, INTERRUPT):
        continue
    reply = answer(operation, node, request[40:])
    if reply is None:
        print("hangs", flush=True)
        continue
    failed = isinstance(reply, int)
    content = b"" if failed else reply
    stops = operation == LOOKUP and not failed and files[names[struct.unpack_from("<Q", content)[0] - 2]].get("hang") == "stop"
    try:
        os.write(device, struct.pack("<IiQ", 16 + len(content), -reply if failed else 0, unique) + content)
    except FileNotFoundError:
        pass  # Whoever asked was interrupted.
    if stops:
        print("hangs", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
