"""What the comparisons with published results share: the data, and `destrasim detect` over it.

Everything is read from ../shared, which is no part of the project; without it they are skipped.
"""
import csv
import gzip
import os
import subprocess
import sys
import tempfile

SKIPPED = 77


class Failure(Exception):
    """A number that is not what was published, or out of its interval."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def need(shared, *path):
    """The path within ../shared/data; ends the test as skipped where it is not."""
    full = os.path.join(shared, "data", *path)
    if not os.path.exists(full):
        print(f"skipped: {full} is not there")
        sys.exit(SKIPPED)
    return full


def read_rows(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def unpack(path, folder):
    """detect reads no .gz: a copy of the file without."""
    out = os.path.join(folder, os.path.basename(path)[:-len(".gz")])
    with gzip.open(path, "rb") as packed, open(out, "wb") as f:
        f.write(packed.read())
    return out


def detect(program, path, *options):
    """{detector: scores}, None where there is none, and what was said on standard error."""
    with tempfile.NamedTemporaryFile(mode="r", suffix=".csv", encoding="utf-8") as out:
        done = subprocess.run([program, "detect", "--input", path, "-o", out.name, *options],
                              capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"detect {path}: exit code {done.returncode}: {done.stderr}")
        rows = list(csv.reader(out))
    columns = zip(*rows[1:])
    scores = {name: [float(x) if x else None for x in column]
              for name, column in zip(rows[0], columns)}
    return scores, done.stderr


def table(head, rows):
    """A Markdown table; text to the left, numbers to the right."""
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join("" if x is None else str(x) for x in row) + " |")
    print()


def run(measure):
    """measure() raises Failure; the exit code of the test."""
    try:
        measure()
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    return 0
