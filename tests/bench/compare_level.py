"""How often `compare` raises a false alarm, and how often it sees a shift of finality latency.

    compare_level.py PROGRAM SOURCE [--runs 400] [--trials 200] [--size 10] [--jobs 2] [--faults]
                     [--folder DIR]

Makes `runs` runs of scenarios/smoke.yaml, two epochs long and without its faults and faulty
validators (0.15 s each), and half as many whose hosts take 53 ms longer, which is some 5 % of the
median finality latency.  Then, `trials` times, with sets of seeds drawn anew:

    itself     `size` runs against `size` others of the same build, other seeds: any change at the
               family-wise level of 1 % is a false alarm
    shifted    `size` runs against `size` slower ones, other seeds
    paired     the same against slower ones with the same seeds (the first half of the runs)

Prints the counts.  With --faults the scenario stays as it is: latencies with heavy tails, for the
level.  DIR keeps the runs for another call.
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

WATCHED = "finality_latency.p50"
SLOWER = ["--set", "network.host_delay=54 ms"]


def scenario(source, folder, faults):
    with open(os.path.join(source, "scenarios", "smoke.yaml"), encoding="utf-8") as f:
        text = f.read()
    text = text.replace("data/", os.path.join(os.path.abspath(source), "scenarios", "data", ""))
    text = text.replace("duration: 5 epochs", "duration: 2 epochs")
    if not faults:
        text = re.sub(r"\nfaults:.*?\n\n", "\n\n", text, flags=re.S)
        text = re.sub(r"\n  - {name: (mute|twin),[^\n]*", "", text)
    path = os.path.join(folder, "scenario.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def make(program, path_scenario, folder, seed, slower):
    path = os.path.join(folder, f"{'slow' if slower else 'base'}-{seed}.h5")
    if not os.path.exists(path):
        subprocess.run([program, "run", path_scenario, "--quiet", "--threads", "1", "--seed",
                        str(seed), "-o", path, *(SLOWER if slower else [])],
                       check=False, stdout=subprocess.DEVNULL)
    return path


def compare(program, a, b, *more):
    with tempfile.TemporaryDirectory() as folder:
        for name, files in (("a", a), ("b", b)):
            os.mkdir(os.path.join(folder, name))
            for f in files:
                os.symlink(os.path.abspath(f), os.path.join(folder, name, os.path.basename(f)))
        done = subprocess.run([program, "compare", os.path.join(folder, "a"),
                               os.path.join(folder, "b"), "--json", *more],
                              capture_output=True, text=True, check=False)
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
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--folder")
    o = parser.parse_args()
    holder = tempfile.TemporaryDirectory()
    folder = o.folder or holder.name
    os.makedirs(folder, exist_ok=True)
    half, text = o.runs // 2, scenario(o.source, folder, o.faults)
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        base = list(pool.map(lambda s: make(o.program, text, folder, s, False),
                             range(1, o.runs + 1)))
        slow = list(pool.map(lambda s: make(o.program, text, folder, s, True),
                             range(1, half + 1)))

        def trial(number):
            draw = random.Random(number)
            seeds = draw.sample(range(o.runs), 2 * o.size)
            a, b = ([base[i] for i in seeds[:o.size]], [base[i] for i in seeds[o.size:]])
            itself, _ = compare(o.program, a, b)
            other = draw.sample(range(half), o.size)
            rest = [i for i in range(o.runs) if i not in other]
            shifted, _ = compare(o.program, [base[i] for i in draw.sample(rest, o.size)],
                                 [slow[i] for i in other])
            paired, found = compare(o.program, [base[i] for i in other], [slow[i] for i in other])
            return itself, shifted, paired, found["tested"]

        trials = list(pool.map(trial, range(1, o.trials + 1)))
    alarms = [t[0] for t in trials if t[0]]
    _, found = compare(o.program, base[:half], slow)
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
