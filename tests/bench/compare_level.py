"""How often `compare` raises a false alarm, and how often it sees a shift of finality latency.

    compare_level.py PROGRAM SOURCE [--runs 400] [--trials 200] [--size 10] [--jobs 2] [--faults]
                     [--delay "49 ms"] [--folder DIR]

Sweeps scenarios/smoke.yaml, two epochs long and without its faults and faulty validators (0.13 s a
run), once with `runs` seeds, and once with half as many and hosts that take longer, by what shifts
the median finality latency by 5 %.  Then, `trials` times, with seeds drawn anew, it cuts the two
sides out of the results (study.h5 with the replications of those seeds alone) and compares them:

    itself     `size` runs against `size` others of the same build, other seeds: any change at the
               family-wise level of 1 % is a false alarm
    shifted    `size` runs against `size` slower ones, other seeds
    paired     the same against slower ones with the same seeds (the first half of the runs)

Prints the counts.  With --faults the scenario stays as it is: latencies with heavy tails, for the
level.  DIR keeps the runs for another call.  Five minutes of one core, most of them for the runs.
"""
import argparse
import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys
import tempfile

import h5py

WATCHED = "finality_latency.p50"
STUDY = """name: level
scenario: scenario.yaml
set: {record.node_epoch: none, record.blocks: none, record.challenges: none}
parameters: [{path: protocol.theta, values: [0.3]}]
replications: 2
"""


def write_study(source, folder, faults):
    with open(os.path.join(source, "scenarios", "smoke.yaml"), encoding="utf-8") as f:
        text = f.read()
    text = text.replace("data/", os.path.join(os.path.abspath(source), "scenarios", "data", ""))
    text = text.replace("duration: 5 epochs", "duration: 2 epochs")
    if not faults:
        text = re.sub(r"\nfaults:.*?\n\n", "\n\n", text, flags=re.S)
        text = re.sub(r"\n  - {name: (mute|twin),[^\n]*", "", text)
    for name, content in (("scenario.yaml", text), ("study.yaml", STUDY)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(content)
    return os.path.join(folder, "study.yaml")


def sweep(o, study, folder, runs, *more):
    """The results of `runs` seeds; with --resume only what is missing is run."""
    done = subprocess.run([o.program, "sweep", study, "--quiet", "--jobs", str(o.jobs), "-o",
                           folder, "--set", f"replications={runs}", *more,
                           *(["--resume"] if os.path.isdir(folder) else [])],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return os.path.join(folder, "study.h5")


def cut(whole, chosen, path):
    """The replications at `chosen` of a study of one point."""
    chosen = sorted(chosen)
    with h5py.File(whole) as a, h5py.File(path, "w") as b:
        b.attrs.update(a.attrs)
        for name, data in a.items():
            if name in ("replication", "seed"):
                b.create_dataset(name, data=data[()][chosen], dtype=data.dtype)
            elif name in ("status", "value", "trace_digest"):
                b.create_dataset(name, data=data[()][:, chosen], dtype=data.dtype)
            else:
                a.copy(data, b, name)


def compare(program, a, b):
    done = subprocess.run([program, "compare", a, b, "--json"], capture_output=True, text=True,
                          check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    found = json.loads(done.stdout)
    return [c for c in found["changes"] if c["verdict"] in ("better", "worse", "changed")], found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("source")
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--size", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--delay", default="49 ms")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--folder")
    o = parser.parse_args()
    holder = tempfile.TemporaryDirectory()
    folder = o.folder or holder.name
    os.makedirs(folder, exist_ok=True)
    half, study = o.runs // 2, write_study(o.source, folder, o.faults)
    base = sweep(o, study, os.path.join(folder, "base"), o.runs)
    slow = sweep(o, study, os.path.join(folder, "slow"), half, "--set",
                 f"set.network.host_delay={o.delay}")

    def against(number, name, a, b):
        side = [os.path.join(holder.name, f"{number}-{name}-{k}.h5") for k in "ab"]
        for path, (whole, chosen) in zip(side, (a, b)):
            cut(whole, chosen, path)
        found = compare(o.program, *side)
        for path in side:
            os.remove(path)
        return found

    def trial(number):
        draw = random.Random(number)
        seeds = draw.sample(range(o.runs), 2 * o.size)
        itself, found = against(number, "itself", (base, seeds[:o.size]), (base, seeds[o.size:]))
        other = draw.sample(range(half), o.size)
        rest = [i for i in range(o.runs) if i not in other]
        shifted, _ = against(number, "shifted", (base, draw.sample(rest, o.size)), (slow, other))
        paired, _ = against(number, "paired", (base, other), (slow, other))
        return itself, shifted, paired, found["tested"]

    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        trials = list(pool.map(trial, range(1, o.trials + 1)))
    alarms = [t[0] for t in trials if t[0]]
    _, found = compare(o.program, base, slow)
    shift = next(c for c in found["changes"] if c["metric"] == WATCHED)
    caught = [sum(any(c["metric"] == WATCHED and c["verdict"] == "worse" for c in t[k])
                  for t in trials) for k in (1, 2)]
    print(f"{o.runs} runs, {half} slower: {WATCHED} {100 * shift['relative']:+.2f} % "
          f"({100 * shift['relative_lo']:.2f} .. {100 * shift['relative_hi']:.2f})")
    print(f"itself   no change in {o.trials - len(alarms)} of {o.trials} trials of {o.size} "
          f"against {o.size} runs, {trials[0][3]} numbers tested together")
    for a in alarms:
        print("         " + ", ".join(f"{c['metric']} p {c['p']:.2g}" for c in a))
    print(f"shifted  caught in {caught[0]} of {o.trials} with independent seeds")
    print(f"paired   caught in {caught[1]} of {o.trials} with the same seeds")


if __name__ == "__main__":
    main()
