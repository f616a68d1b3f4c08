#!/usr/bin/python3
"""Makes scenarios/data/outages.csv: when 24 machines are away over ten minutes.

Synthetic, by this formula.  Machine i of 24 is up for times drawn from a Weibull distribution of shape
0.7 (failures come in bursts, as is reported of real machines) and scale s(i), evenly spread in the
logarithm from 30 s to 20 min, and away for lognormal times of median 8 s and sigma 1.  Besides, a rack of
machines 18 to 23 loses power at 300 s and comes back one after the other, 3 s apart, from 320 s on.
One fixed seed for each machine; who is away for another reason stays away for the longer one.

    tests/bench/outages.py > scenarios/data/outages.csv"""
import math
import random

MACHINES, END, RACK, RACK_DOWN, RACK_UP = 24, 600.0, 18, 300.0, 320.0


def machine(i):
    draw = random.Random(i)
    scale = 30 * 40 ** (i / (MACHINES - 1))
    t = 0.0
    while True:
        t += scale * (-math.log(1 - draw.random())) ** (1 / 0.7)
        up = t + 8 * math.exp(draw.gauss(0, 1))
        if t >= END:
            return
        yield t, up
        t = up


def main():
    print("# 24 machines over 10 min; synthetic: tests/bench/outages.py says how")
    print("node,down_s,up_s")
    rows = [(i, down, up) for i in range(MACHINES) for down, up in machine(i)]
    rows += [(i, RACK_DOWN, RACK_UP + 3 * (i - RACK)) for i in range(RACK, MACHINES)]
    for i, down, up in sorted(rows, key=lambda row: (row[1], row[0])):
        print(f"{i},{down:.1f},{up:.1f}")


if __name__ == "__main__":
    main()
