"""Makes a tree of everything that is hard to archive below argv[1]; argv[2] is the number of plain files."""
import os
import sys

root = os.fsencode(sys.argv[1])
count = int(sys.argv[2])
privileged = os.geteuid() == 0
os.makedirs(root, exist_ok=True)


def at(*parts):
    return os.path.join(root, *parts)


def write(name, content=b"content\n", mode=None, mtime=None):
    path = at(*name.split(b"/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    if mode is not None:
        os.chmod(path, mode)
    if mtime is not None:
        os.utime(path, ns=(mtime, mtime))
    return path


for number in range(count):
    write(b"plain/%03d/file-%05d.txt" % (number // 200, number), b"line %d\n" % number * (number % 90), mtime=number * 1_000_000_007)

write(b"empty", b"")
for size in (1, 511, 512, 513, 1024, 1 << 20, (1 << 20) + 1, 3_000_000):
    write(b"sizes/%d" % size, bytes(i * i % 251 for i in range(1024)) * (size // 1024) + b"x" * (size % 1024))

# Every length around the limits of ustar's fields, with and without a slash in a helpful place.
for length in (98, 99, 100, 101, 154, 155, 156, 200, 254, 255):
    write(b"names/" + b"n" * length)
    os.makedirs(at(b"folders", b"d" * length), exist_ok=True)
    write(b"folders/" + b"d" * length + b"/inside")
    os.symlink(b"t" * length, at(b"names", b"link-%d" % length))
write(b"/".join([b"deep" * 30] * 8) + b"/" + b"end" * 80)
os.symlink(b"/".join([b"target"] * 580), at(b"names", b"very-long-target"))

for name in (b"\xff\xfe\x80", b"caf\xe9", "caf\u00e9".encode(), "\u65e5\u672c\u8a9e".encode(), "\U0001f6df".encode() * 60,
             b"\xff" * 200, b"line\nbreak", b"tab\there", b"back\\slash", b"quo'te\"s", b" blanks ", b"-dash", b"star*?[a]",
             b"\x01\x7f", b"trailing.", b"a=b", b"12 path=x"):
    write(b"odd/" + name)
    os.makedirs(at(b"odd-folders", name), exist_ok=True)
    write(b"odd-folders/" + name + b"/f")
    os.symlink(name, at(b"odd", b"link-to-" + name))
os.symlink(b"/nonexistent", at(b"dangling"))
os.symlink(b".", at(b"loop"))

for mode in (0o4755, 0o2755, 0o1777, 0o7777, 0o000, 0o444, 0o600):
    write(b"modes/%04o" % mode, mode=mode)
    os.makedirs(at(b"modes", b"d%04o" % mode))
    os.chmod(at(b"modes", b"d%04o" % mode), mode | 0o700)

second = 1_000_000_000
for mtime in (0, 1, second - 1, 1_700_000_000 * second, 1_700_000_000_123_456_789, 1_700_000_000 * second + 500_000_000,
              -1, -second, -1_500_000_000, -86_400_000_000_001, 4_000_000_000 * second + 7):
    write(b"times/%d" % mtime, mtime=mtime)
os.makedirs(at(b"times", b"folder"))
os.utime(at(b"times", b"folder"), ns=(5, 1_234_567_890_987_654_321))
os.symlink(b"x", at(b"times", b"link"))
os.utime(at(b"times", b"link"), ns=(5, 1_111_111_111_000_000_001), follow_symlinks=False)

first = write(b"hard/a", b"shared content\n" * 1000)
for name in (b"b", b"c", b"\xffd"):
    os.link(first, at(b"hard", name))
os.link(write(b"hard/" + b"l" * 200, b"long\n"), at(b"hard", b"short"))

os.mkfifo(at(b"fifo"), 0o640)
os.makedirs(at(b"empty-folder"))
if privileged:
    import stat
    os.mknod(at(b"null"), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(at(b"block"), 0o600 | stat.S_IFBLK, os.makedev(259, 70_000))
    for uid in (1000, 2097151, 2097152, 4294967294):
        path = write(b"owners/%d" % uid)
        os.chown(path, uid, uid)
