#!/usr/bin/python3
"""Makes scenarios/data/crowd-trace.csv: utilisation of 24 machines when a crowd comes and goes.

Synthetic, by this formula.  Machine i of 24 is used to b(i), evenly spread from 10 % to 40 %; the crowd
doubles that, within a minute around its coming at 4 min, and leaves in the same way at 6 min:

    u(i, t) = b(i) (1 + g(t - 240 s) - g(t - 360 s)) (1 + 0.05 z(i, t)),  g(x) = 1 / (1 + exp(-x / 12 s))

every 10 s for 10 min, with z normal noise from a fixed seed.

    tests/bench/crowd_trace.py > scenarios/data/crowd-trace.csv"""
import math
import random

SERIES, ROWS, STEP = 24, 60, 10


def rise(x):
    return 1 / (1 + math.exp(-x / 12))


def main():
    noise = random.Random(1)
    print("# 24 machines and a crowd from 4 to 6 min; synthetic: tests/bench/crowd_trace.py says how")
    print("time," + ",".join(f"m{i}" for i in range(SERIES)))
    for r in range(ROWS):
        t = r * STEP
        crowd = 1 + rise(t - 240) - rise(t - 360)
        row = [(0.1 + 0.3 * i / (SERIES - 1)) * crowd * (1 + 0.05 * noise.gauss(0, 1))
               for i in range(SERIES)]
        print(",".join([str(t)] + [f"{min(1.0, u):.3f}".rstrip("0").rstrip(".") for u in row]))


if __name__ == "__main__":
    main()
