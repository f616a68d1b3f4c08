#!/usr/bin/env python3
"""Packs a folder of fuzz inputs into one corpus file, or the reverse.

    pack.py FOLDER FILE        every file of the folder, in order of name
    pack.py --unpack FILE FOLDER
"""
import pathlib
import struct
import sys


def pack(folder, file):
    inputs = [p.read_bytes() for p in sorted(pathlib.Path(folder).iterdir()) if p.is_file()]
    file.write_bytes(b"".join(struct.pack("<I", len(b)) + b for b in inputs))
    print(f"{len(inputs)} inputs, {file.stat().st_size} bytes")


def unpack(file, folder):
    folder.mkdir(parents=True, exist_ok=True)
    data, at, count = file.read_bytes(), 0, 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        (folder / f"{count:05d}").write_bytes(data[at + 4:at + 4 + size])
        at += 4 + size
        count += 1
    print(f"{count} inputs")


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--unpack":
        unpack(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    elif len(sys.argv) == 3 and not sys.argv[1].startswith("-"):
        pack(sys.argv[1], pathlib.Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
