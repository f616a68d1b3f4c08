#!/usr/bin/python3
"""Recorded virtual machines as a trace for `nodes[].trace`.

Reads the Bitbrains fastStorage sample (GWA-T-12: id, t_s, duration in ms, cpu_mhz; an interval ends at
t_s) and the machines' capacities (bitbrains_vm_meta.csv), and writes a wide CSV: a row every --step
seconds of recorded time, utilisation = cpu_mhz / cpu_capacity, 0 where a machine was not recorded.
--speed divides the times, so that a day fits into a short run.  Recorded data stay outside of the
repository: write where you like, and name the file in your scenario.

    tests/bench/trace_from_bitbrains.py ../shared/data/utilisation/bitbrains_fastStorage_25vms_5min.csv.gz \\
        ../shared/data/utilisation/bitbrains_vm_meta.csv -o bitbrains.csv --hours 24 --speed 60"""
import argparse
import csv
import gzip
import sys


def read(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def decimal(x):
    text = f"{x:.9f}" if x < 1e-4 else f"{x:.5f}"
    return text.rstrip("0").rstrip(".") or "0"


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("samples")
    p.add_argument("meta")
    p.add_argument("-o", "--output", required=True)
    p.add_argument("--step", type=int, default=300, help="seconds of recorded time between rows")
    p.add_argument("--start", type=float, default=0, help="hours of the recording to leave out")
    p.add_argument("--hours", type=float, default=720, help="hours of the recording to use")
    p.add_argument("--speed", type=float, default=1, help="recorded seconds for each one written")
    a = p.parse_args()
    if a.step < 1 or a.hours <= 0 or a.speed <= 0:
        p.error("--step, --hours and --speed are above 0")
    capacity = {r["id"]: float(r["cpu_capacity"]) for r in read(a.meta)}
    first, rows = int(a.start * 3600), int(a.hours * 3600) // a.step
    if rows < 1:
        p.error("--hours is shorter than --step")
    table = {}
    for r in read(a.samples):
        column = table.setdefault(r["id"], [0.0] * rows)
        end = int(r["t_s"]) - first
        begin = end - int(r["duration"]) // 1000
        for row in range(max(0, -(-begin // a.step)), min(rows, -(-end // a.step))):
            column[row] = min(1.0, float(r["cpu_mhz"]) / capacity[r["id"]])
    ids = sorted(table, key=int)
    with open(a.output, "w", encoding="ascii") as out:
        print("time," + ",".join("vm-" + i for i in ids), file=out)
        for row in range(rows):
            cells = [decimal(row * a.step / a.speed)] + [decimal(table[i][row]) for i in ids]
            print(",".join(cells), file=out)
    low = sum(sum(table[i]) / rows < 0.05 for i in ids)
    print(f"{len(ids)} machines, {rows} rows; {low} use less than 5 % on average", file=sys.stderr)


if __name__ == "__main__":
    main()
