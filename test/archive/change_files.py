"""
Changes files and folders below argv[1] as fast as it can until it is killed.

It makes links that lead out of the folder, so nothing here may ever follow one: files are opened with O_NOFOLLOW and
changed through their descriptor, and the links lead to a name that does not exist.
"""
import os
import random
import shutil
import sys

root = sys.argv[1]
random.seed(7)
os.makedirs(root)
NOWHERE = os.path.join(root, "no-such-folder", "no-such-file")


def some():
    return os.path.join(root, "d%d" % random.randrange(20), "f%d" % random.randrange(60))


def opened(path, flags):
    """Never through a link, never waiting for a FIFO's other end."""
    return os.fdopen(os.open(path, flags | os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644), "wb")


def write(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with opened(path, os.O_CREAT | os.O_TRUNC) as file:
        file.write(random.randbytes(random.randrange(200_000)))


def append(path):
    with opened(path, os.O_APPEND) as file:
        file.write(b"more" * random.randrange(50_000))


def truncate(path):
    with opened(path, 0) as file:
        file.truncate(random.randrange(1 + os.fstat(file.fileno()).st_size))


def chmod(path):
    with opened(path, 0) as file:
        os.fchmod(file.fileno(), random.choice([0o000, 0o600, 0o4755]))


def replace(path):
    write(path + ".new")
    os.rename(path + ".new", path)


def change_type(path):
    os.remove(path)
    random.choice([lambda: os.mkdir(path), lambda: os.symlink(NOWHERE, path), lambda: os.mkfifo(path)])()


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    else:
        os.remove(path)


def move_folder(path):
    folder = os.path.dirname(path)
    os.rename(folder, folder + ".moved")
    os.rename(folder + ".moved", folder)


def remove_folder(path):
    if random.random() < 0.05:
        shutil.rmtree(os.path.dirname(path))


for _ in range(1200):
    write(some())
print("ready", flush=True)
while True:
    try:
        random.choice([write, write, append, truncate, replace, change_type, remove, remove, move_folder, remove_folder, chmod])(some())
    except OSError:
        pass
