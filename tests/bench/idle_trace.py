#!/usr/bin/python3
"""Makes scenarios/data/idle-trace.csv: utilisation of 24 machines, most of which idle.

Synthetic, by this formula.  Series i of 24 has the mean m(i), the (i + 1/2) / 24 quantile of a
lognormal distribution of median 1.5 % and sigma 1.56, of which 78 % lie below 5 % (as 39 of 50
recorded virtual machines do).  Around it, at row r of 240, one every 30 s,

    u(i, r) = m(i) (1 + 0.5 sin(2 pi (r / 240 + g i))) exp(0.25 z(i, r) - 0.25^2 / 2)

with g the golden ratio, so that the machines' days begin at different hours, and z an
autoregressive noise of variance 1 (0.9 of the row before) from a fixed seed; at most 1.

    tests/bench/idle_trace.py > scenarios/data/idle-trace.csv"""
import math
import random
import statistics

SERIES, ROWS, STEP = 24, 240, 30
GOLDEN = (math.sqrt(5) - 1) / 2


def series(i):
    noise = random.Random(1000 + i)
    mean = 0.015 * math.exp(1.56 * statistics.NormalDist().inv_cdf((i + 0.5) / SERIES))
    z = noise.gauss(0, 1)
    for r in range(ROWS):
        day = 1 + 0.5 * math.sin(2 * math.pi * (r / ROWS + GOLDEN * i))
        yield min(1.0, mean * day * math.exp(0.25 * z - 0.25 ** 2 / 2))
        z = 0.9 * z + math.sqrt(1 - 0.9 ** 2) * noise.gauss(0, 1)


def main():
    print("# 24 machines, most of which idle; synthetic: tests/bench/idle_trace.py says how")
    print("time," + ",".join(f"m{i}" for i in range(SERIES)))
    columns = [list(series(i)) for i in range(SERIES)]
    for r in range(ROWS):
        print(",".join([str(r * STEP)] + [f"{c[r]:.3f}".rstrip("0").rstrip(".") for c in columns]))


if __name__ == "__main__":
    main()
