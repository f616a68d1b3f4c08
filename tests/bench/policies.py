#!/usr/bin/python3
"""Does adaptivity pay?  Policies that spend the same challenge traffic, over many seeds.

Every policy runs on every seed (common random numbers: the same nodes, cheats, links and demand).
The traffic of the first policy, random audits, is the measure: the other policies' knob (a budget, or
the share pi of those below theta) is scaled by one pilot run after the other until their challenge bytes agree with it on eight
pilot seeds; what they then spend on all seeds stands in the table.  Intervals are 95 %, Student's t over
the seeds; the last two columns are paired differences from random audits: above 0 is better than they.

    tests/bench/policies.py --program build/destrasim --out DIR [--seeds 30] [--jobs 2]
        [--scenario scenarios/adaptive-vs-uniform.yaml] [--set PATH=VALUE]... [--svg FILE]

Needs h5py.  Prints a Markdown table."""
import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import h5py

COMMON = ["protocol.theta=0.2", "protocol.audit=1"]  # everybody can be drawn; washers buy up to theta
ONE_K = ["protocol.difficulty=uniform"]
BY_HISTORY = ["protocol.difficulty=history"]
THETA = ["protocol.audit=0.005", "protocol.budget=0"] + ONE_K
# name, settings, knob that sets how many are challenged, its value at first
POLICIES = [
    ("random audits, one k", ["protocol.order=random"] + ONE_K, "protocol.budget", 24),
    ("theta on u, one k", THETA, "protocol.soft", 0.3),
    ("theta on u or its forecast, one k", THETA + ["protocol.trigger=either"], "protocol.soft", 0.3),
    ("oldest first, one k", ["protocol.order=oldest"] + ONE_K, "protocol.budget", 24),
    ("oldest first, k by history", ["protocol.order=oldest"] + BY_HISTORY, "protocol.budget", 24),
    ("random order, k by history", ["protocol.order=random"] + BY_HISTORY, "protocol.budget", 24),
    ("ucb order, one k", ["protocol.order=ucb"] + ONE_K, "protocol.budget", 24),
    ("ucb order, k by history", ["protocol.order=ucb"] + BY_HISTORY, "protocol.budget", 24),
]
PILOT = range(1, 9)  # seeds on which knobs are set
METRICS = ["mttd", "detect_20", "mttd.partial", "mttd.washer", "mttd.ghost", "loss", "honest_failed",
           "challenges_total"]
T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 7: 2.36, 9: 2.26, 14: 2.14, 19: 2.09, 29: 2.045}


def t95(n):
    return T95[max(k for k in T95 if k <= max(n - 1, 1))]


def interval(values):
    half = t95(len(values)) * statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return statistics.fmean(values), half


def run(args, policy, seed, knob):
    """The summary of one run, and its challenge bytes."""
    name, settings, path, _ = policy
    tag = "".join(c if c.isalnum() else "-" for c in f"{name}-{knob:.6g}-{seed}")
    out = os.path.join(args.out, tag + ".h5")
    if not os.path.exists(out):
        value = f"{knob:.6f}" if isinstance(knob, float) else str(knob)
        sets = COMMON + settings + [f"{path}={value}"] + args.set
        result = subprocess.run([args.program, "run", args.scenario, "-o", out, "--seed", str(seed),
                                 "--threads", "1", "--quiet"] + [x for s in sets for x in ("--set", s)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode > 1:
            sys.exit(result.stderr)
    with h5py.File(out, "r") as f:
        s = {k: float(f["summary"][k][()]) for k in f["summary"]}
    s["challenge_bytes"] = s["challenge_bytes_share"] * s["bytes"]
    return s


def scaled(knob, factor):
    return max(1, round(knob * factor)) if isinstance(knob, int) else min(1.0, knob * factor)


def pilot(args, policy, target):
    """The knob with which the policy spends `target` challenge bytes on the pilot seeds."""
    knob, best = policy[3], None
    for _ in range(5):
        spent = statistics.fmean(run(args, policy, seed, knob)["challenge_bytes"] for seed in PILOT)
        if best is None or abs(spent - target) < best[0]:
            best = abs(spent - target), knob
        new = scaled(knob, min(4, max(0.25, target / max(spent, 1))))
        if abs(spent / target - 1) < 0.02 or new == knob:
            break
        knob = new
    return best[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/destrasim")
    parser.add_argument("--scenario", default="scenarios/adaptive-vs-uniform.yaml")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--svg")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    seeds = range(1, args.seeds + 1)
    first = POLICIES[0]
    target = statistics.fmean(run(args, first, seed, first[3])["challenge_bytes"] for seed in PILOT)
    with ThreadPoolExecutor(args.jobs) as pool:
        knobs = [first[3]] + list(pool.map(lambda p: pilot(args, p, target), POLICIES[1:]))
        runs = [list(pool.map(lambda seed, p=policy, k=knob: run(args, p, seed, k), seeds))
                for policy, knob in zip(POLICIES, knobs)]
    base = runs[0]
    print(f"{os.path.basename(args.scenario)}, {args.seeds} seeds"
          + (", " + " ".join(args.set) if args.set else ""))
    print("| policy | knob | challenge MB | challenges | epochs until caught | caught in 20 epochs | partial |"
          " washer | ghost | loss % | honest failed | epochs less than audits | loss less than audits |")
    print("|" + " --- |" + " ---: |" * 12)
    rows = []
    for policy, knob, result in zip(POLICIES, knobs, runs):
        m = {k: interval([r[k] for r in result]) for k in METRICS if k in result[0]}
        mb = interval([r["challenge_bytes"] / 1e6 for r in result])
        less = interval([b["mttd"] - r["mttd"] for b, r in zip(base, result)])
        cheaper = interval([b["loss"] - r["loss"] for b, r in zip(base, result)])
        cell = lambda v, d=2: f"{v[0]:.{d}f} ± {v[1]:.{d}f}"
        print(f"| {policy[0]} | {knob:.4g} | {cell(mb, 1)} | {cell(m['challenges_total'], 0)} | {cell(m['mttd'])} |"
              f" {cell(m['detect_20'])} | {cell(m['mttd.partial'], 1)} | {cell(m['mttd.washer'], 1)} |"
              f" {cell(m['mttd.ghost'], 1)} | {cell(m['loss'])} | {cell(m['honest_failed'], 1)} |"
              + ("  |  |" if result is base else f" {cell(less)} | {cell(cheaper)} |"))
        rows.append({"policy": policy[0], "knob": knob, "megabytes": mb, "metrics": m, "less": less, "cheaper": cheaper})
    with open(os.path.join(args.out, "policies.json"), "w", encoding="utf-8") as f:
        json.dump(rows, f, indent=1)
    if args.svg:
        plot(rows, args.svg)
    return 0


def plot(rows, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "destrasim"
    import matplotlib.pyplot as pyplot
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 3.2), sharey=True)
    names, y = [r["policy"] for r in rows], range(len(rows))
    for axis, key, text in ((axes[0], "mttd", "epochs until a cheat is caught"), (axes[1], "loss", "loss, % of the pool")):
        axis.errorbar([r["metrics"][key][0] for r in rows], y, xerr=[r["metrics"][key][1] for r in rows], fmt="o", capsize=3)
        axis.set_xlabel(text + " (95 %)")
        axis.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(list(y), names)
    axes[0].invert_yaxis()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
