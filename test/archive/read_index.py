"""Reads an index as docs/archive-format.md describes it, and prints its entries and blocks: a reader that is not ours.

usage: read_index.py INDEX ARCHIVE
"""

import gzip
import hashlib
import json
import struct
import subprocess
import sys
import zlib

index = open(sys.argv[1], "rb").read()
archive = open(sys.argv[2], "rb").read()
MAGIC = b"LBINDEX\x01"


def unpacked(offset, stored_bytes, raw_bytes, sha256):
    stored = index[offset : offset + stored_bytes]
    assert hashlib.sha256(stored).digest() == sha256
    raw = subprocess.run(["zstd", "-qdc"], input=stored, stdout=subprocess.PIPE, check=True).stdout
    assert len(raw) == raw_bytes
    return raw


trailer = index[-80:]
assert index[:8] == trailer[72:] == MAGIC
assert zlib.crc32(trailer[:64]) == struct.unpack_from("<I", trailer, 64)[0]
offset, stored_bytes, raw_bytes, sha256, size = struct.unpack_from("<QII32sQ", trailer)
assert size == len(index)
directory = unpacked(offset, stored_bytes, raw_bytes, sha256)

facts_bytes, entry_chunks, block_chunks = struct.unpack_from("<III", directory)
at = 12 + facts_bytes
facts = json.loads(directory[12:at])
assert hashlib.sha256(archive).hexdigest() == facts["archive"]["sha256"]

COLUMNS = "IIIIIIIHBQqqQQ"
entries = []
for _ in range(entry_chunks):
    *place, count, sha256 = struct.unpack_from("<QIII32s", directory, at)
    key_bytes = struct.unpack_from("<H", directory, at + 52)[0]
    key = directory[at + 54 : at + 54 + key_bytes]
    at += 54 + key_bytes
    raw = unpacked(*place, sha256)
    assert struct.unpack_from("<I", raw)[0] == count
    row, columns = 4, []
    for letter in COLUMNS:
        columns.append(struct.unpack_from(f"<{count}{letter}", raw, row))
        row += struct.calcsize(f"<{count}{letter}")
    texts = []
    for lengths in columns[:2]:
        texts.append([])
        for length in lengths:
            texts[-1].append(raw[row : row + length])
            row += length
    assert row == len(raw)
    assert texts[0][0][:256] == key
    entries += zip(*texts, *columns[2:])

blocks, list_hash, raw_at, stored_at = [], hashlib.sha256(), 0, 0
for _ in range(block_chunks):
    *place, count, sha256 = struct.unpack_from("<QIII32s", directory, at)
    assert struct.unpack_from("<QQ", directory, at + 52) == (raw_at, stored_at)
    at += 68
    for raw_bytes, stored_bytes, digest in struct.iter_unpack("<II32s", unpacked(*place, sha256)):
        assert hashlib.sha256(archive[stored_at : stored_at + stored_bytes]).digest() == digest
        list_hash.update(digest)
        blocks.append((stored_at, stored_bytes, raw_bytes))
        raw_at += raw_bytes
        stored_at += stored_bytes
assert at == len(directory)
assert (len(blocks), raw_at, list_hash.hexdigest()) == tuple(facts["blocks"][key] for key in ("count", "rawBytes", "sha256"))
assert (len(entries), stored_at) == (facts["entries"], len(archive))
assert [path.split(b"/") for path, *_ in entries] == sorted(path.split(b"/") for path, *_ in entries)


def tar_data(number):
    start, stored_bytes, raw_bytes = blocks[number]
    stored = archive[start : start + stored_bytes]
    raw = gzip.decompress(stored) if facts["compression"] == "gz" else stored
    assert len(raw) == raw_bytes
    return raw


for path, link, block, offset, header_bytes, uid, gid, mode, kind, size, mtime, *_ in entries:
    data = tar_data(block)[offset + header_bytes :]
    while len(data) < size:
        block += 1
        data += tar_data(block)
    line = {"name": path.decode("latin1"), "type": str(kind), "mode": mode, "uid": uid, "gid": gid, "size": size}
    line |= {"link": link.decode("latin1"), "sha256": hashlib.sha256(data[:size]).hexdigest()}
    print(json.dumps(line))
