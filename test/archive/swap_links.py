"""Swaps folders (and a file) of argv[1] for links into argv[2] and back, at least argv[3] times and for 5 seconds."""
import os
import random
import sys
import time

source, outside, swaps = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(3)
places = [("a", outside), ("a/b", outside + "/b"), ("a/b/c", outside + "/b/c"), ("a/b/c/file-1", outside + "/file-1")]
print("ready", flush=True)
end = time.monotonic() + 5
done = 0
while done < swaps or time.monotonic() < end:
    name, target = random.choice(places)
    place = os.path.join(source, name)
    os.rename(place, source + ".aside")
    os.symlink(target, place)
    for _ in range(random.randrange(100)):
        pass
    os.unlink(place)
    os.rename(source + ".aside", place)
    done += 1
