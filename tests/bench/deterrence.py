#!/usr/bin/python3
"""Does the share of rational cheats flip where the deterrence bound says?

Ghosts against honest nodes, half and half at first, at a range of slashes and many seeds.  Two
numbers of each run: by how much the share of cheats grew, and what a cheat earned more than an honest
node per epoch.  Both are zero at some slash, which is looked for by a straight line through all runs;
intervals are 95 %, bootstrap over seeds.  Beside them stands the bound, which knows nothing of the runs:

    first   = rho / (1 + (1-q) rho m1)     first askings of a cheat per epoch: none while a second is due
    fail    = (1-q) first m2               missed twice: that epoch's reward w is lost
    slash   = (1-q) fail                   the demand stands an epoch, and is not answered
    bound   : slash * amount + fail * w = saved cost

m1 = E[1-p], m2 = E[(1-p)^2] over difficulties, p = (1-f)^k: both 1 for a ghost.  q is the chance that a
cheat turns honest between two epochs: 0 for the bound as such, revise (1-x) / 2 where rational nodes turn
(who turns in time answers the demand).  "by Fermi" takes the rule of imitation as it is, instead of
weak selection, where means decide: a loss far above 1 / selection in one epoch counts for less than its
mean.

    tests/bench/deterrence.py --program build/destrasim --out DIR [--seeds 20] [--jobs 2] [--audit 0.5]
        [--selection 1] [--factors 0.5,0.75,0.9,1.1,1.25,1.5] [--set PATH=VALUE]... [--svg FILE]

Needs h5py and numpy.  Prints Markdown; exit code 1 when payoffs are not equal at the bound or the share
does not flip where Fermi says, within the intervals."""
import argparse
import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy

BOND, SAVED, WORK = 1000, 0.3, 0.18    # DSYNC; 0.18 = (1 - epsilon) take 2 u, u = 0.4: a work reward's cap
REVISE = 0.2
FIRST = 5                              # epochs before the first slashes are due tell nothing


def rates(audit, q=0.0, m1=1.0, m2=1.0):
    """Of a cheat, per epoch: challenges failed, slashes."""
    first = audit / (1 + (1 - q) * audit * m1)
    return (1 - q) * first * m2, (1 - q) ** 2 * first * m2


def difference(audit, amount, q=0.0):
    """What a cheat earns more than an honest node, per epoch."""
    fail, slash = rates(audit, q)
    return SAVED - fail * WORK - slash * amount


def bound(audit, q=0.0):
    fail, slash = rates(audit, q)
    return (SAVED - fail * WORK) / slash


def bound_fermi(audit, q, selection):
    """Where as many honest nodes take over cheating as cheats honesty.  A slash never falls into an epoch
    with a failure: the next challenge fails two epochs after it at the earliest."""
    fail, slash = rates(audit, q)
    honest = WORK - SAVED

    def drift(amount):
        states = ((1 - fail - slash, WORK), (fail, 0), (slash, WORK - amount))
        return sum(p * math.tanh(selection * (payoff - honest) / 2) for p, payoff in states)
    low, high = 0.0, 100.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if drift(middle) > 0 else (low, middle)
    return low


def run(args, seed, amount):
    """Share of cheats before and after, payoff difference per epoch, mean slash, mean share."""
    slash = f"{amount / BOND:.6f}"
    out = os.path.join(args.out, f"{args.audit:g}-{args.selection:g}-{slash}-{seed}.h5")
    if not os.path.exists(out):
        sets = [f"protocol.slash_first={slash}", f"protocol.slash_repeat={slash}", f"protocol.audit={args.audit:g}",
                f"nodes.sto.rational.revise={REVISE}", f"nodes.sto.rational.selection={args.selection:g}"] + args.set
        result = subprocess.run([args.program, "run", args.scenario, "-o", out, "--seed", str(seed), "--threads", "1",
                                 "--quiet"] + [x for s in sets for x in ("--set", s)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode > 1:
            sys.exit(result.stderr)
    with h5py.File(out, "r") as f:
        service = f["node_role"][:] == 1
        cheats = f["node_epoch/strategy"][:, service] != 0
        reward = f["node_epoch/reward"][:, service] / 1e9
        bond = f["node_epoch/bond"][:, service].astype(numpy.int64)
        bond0 = f["node_bond_initial"][:][service].astype(numpy.int64)
    slashed = numpy.vstack([bond0 - bond[0], bond[:-1] - bond[1:]]) / 1e9
    # Like with like: less what a node of this utilisation is paid for its work.
    payoff = reward - reward.max(axis=0) - slashed - numpy.where(cheats, 0, SAVED)
    late = slice(FIRST, None)
    apart = payoff[late][cheats[late]].mean() - payoff[late][~cheats[late]].mean()
    return {"before": cheats[FIRST].mean(), "after": cheats[-1].mean(), "apart": apart,
            "slash": slashed[slashed > 0].mean() if (slashed > 0).any() else amount, "share": cheats[late].mean(),
            "honest_slashed": float((slashed[late][~cheats[late]] > 0).mean())}


def zero(x, y):
    """Where the straight line through the points is zero."""
    slope, at = numpy.polyfit(x, y, 1)
    return -at / slope


def flips(runs, key, draws=2000):
    """The zero of `key`, and its 95 % interval over seeds; runs[slash][seed]."""
    x = numpy.array([[r["slash"] for r in row] for row in runs])
    y = numpy.array([[key(r) for r in row] for row in runs])
    rng = numpy.random.default_rng(1)
    seeds = x.shape[1]
    found = []
    for _ in range(draws):
        pick = rng.integers(0, seeds, seeds)
        found.append(zero(x[:, pick].ravel(), y[:, pick].ravel()))
    return zero(x.ravel(), y.ravel()), *numpy.percentile(found, [2.5, 97.5])


def interval(values):
    half = 1.96 * numpy.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{numpy.mean(values):.3f} ± {half:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/destrasim")
    parser.add_argument("--scenario", default="scenarios/slash-vs-cheat.yaml")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--audit", type=float, default=0.5)
    parser.add_argument("--selection", type=float, default=1)
    parser.add_argument("--factors", default="0.5,0.75,0.9,1.1,1.25,1.5")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--svg")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    q = REVISE * 0.5 / 2
    amounts = [float(x) * bound(args.audit, q) for x in args.factors.split(",")]
    with ThreadPoolExecutor(args.jobs) as pool:
        runs = [list(pool.map(lambda s, a=a: run(args, s, a), range(1, args.seeds + 1))) for a in amounts]
    print(f"audit {args.audit:g}, selection {args.selection:g}, {args.seeds} seeds"
          + (", " + " ".join(args.set) if args.set else ""))
    print("| slash, DSYNC | share of cheats, first | last | more per epoch than honest | closed form |")
    print("|" + " ---: |" * 5)
    for row in runs:
        slash, share = (numpy.mean([r[k] for r in row]) for k in ("slash", "share"))
        cells = [interval([r[k] for r in row]) for k in ("before", "after", "apart")]
        closed = difference(args.audit, slash, REVISE * (1 - share) / 2)
        print(f"| {slash:.3f} | {' | '.join(cells)} | {closed:.3f} |")
    share = flips(runs, lambda r: r["after"] - r["before"])
    money = flips(runs, lambda r: r["apart"])
    exact, fermi = bound(args.audit, q), bound_fermi(args.audit, q, args.selection)
    print(f"\nshare flips at {share[0]:.3f} [{share[1]:.3f}, {share[2]:.3f}] DSYNC; "
          f"payoffs are equal at {money[0]:.3f} [{money[1]:.3f}, {money[2]:.3f}]")
    print(f"bound {bound(args.audit):.3f}, with nodes that turn {exact:.3f}, by Fermi {fermi:.3f}")
    honest = numpy.mean([r["honest_slashed"] for row in runs for r in row])
    print(f"slashes per epoch of an honest node: {honest:.2g}")
    with open(os.path.join(args.out, f"deterrence-{args.audit:g}-{args.selection:g}.json"), "w", encoding="utf-8") as f:
        json.dump({"audit": args.audit, "share": share, "money": money, "bound": bound(args.audit), "turning": exact,
                   "fermi": fermi, "runs": runs}, f, indent=1)
    if args.svg:
        plot(args, runs, share, exact)
    return 0 if money[1] <= exact <= money[2] and share[1] <= fermi <= share[2] else 1


def plot(args, runs, share, exact):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "destrasim"
    import matplotlib.pyplot as pyplot
    figure, axis = pyplot.subplots(figsize=(6.5, 3.5))
    x = [numpy.mean([r["slash"] for r in row]) for row in runs]
    grown = [[r["after"] - r["before"] for r in row] for row in runs]
    error = [1.96 * numpy.std(g, ddof=1) / math.sqrt(len(g)) for g in grown]
    axis.errorbar(x, [numpy.mean(g) for g in grown], yerr=error, fmt="o", capsize=3)
    axis.axhline(0, color="black", lw=0.8)
    axis.axvspan(share[1], share[2], alpha=0.2, label="share flips, 95 %")
    axis.axvline(exact, color="C3", label="bound")
    axis.set_xlabel("slash, mean rewards")
    axis.set_ylabel("growth of the share of cheats")
    axis.legend()
    figure.tight_layout()
    figure.savefig(args.svg, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
