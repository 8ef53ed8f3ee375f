"""
Swaps folders or a file (argv[4]) of argv[1] for links into argv[2] and back, at least argv[3] times and for 4 seconds.
Each swap is one system call, so that it falls between two calls of who reads as often as possible.
"""
import ctypes
import os
import random
import sys
import time

source, outside, swaps = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(3)
folders = [("a", outside), ("a/b", outside + "/b"), ("a/b/c", outside + "/b/c")]
places = folders if sys.argv[4] == "folders" else [("a/b/c/file-1", outside + "/file-1")]
libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def exchange(one, other):
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


print("ready", flush=True)
end = time.monotonic() + 4
done = 0
while done < swaps or time.monotonic() < end:
    name, target = random.choice(places)
    place, aside = os.path.join(source, name), source + ".aside"
    os.symlink(target, aside)
    for _ in range(50):
        exchange(place, aside)
        for _ in range(random.randrange(100)):
            pass
        exchange(place, aside)
        for _ in range(random.randrange(100)):
            pass
    os.unlink(aside)
    done += 100
