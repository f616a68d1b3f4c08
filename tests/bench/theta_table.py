#!/usr/bin/python3
"""The theta table of the README: one scenario at many thetas, with common random numbers.

For each theta the scenario runs twice: once as it is, and once with theta = 0 and a rate of random
audits that spends the same number of challenges: rho' = those that theta and audits drew per epoch
over the number of nodes.  So what theta buys stands beside what as many audits buy; theta_lift is
the loss that theta saves over the loss that those audits save, both against theta = 0.  Challenges drawn by
theta or audit are compared, epoch by epoch, with what the recorded utilisations let expect: a node
below theta is challenged for certain, any other with probability rho.

    tests/bench/theta_table.py --program build/destrasim --out DIR [--jobs 2] [--svg FILE]

Needs h5py, and matplotlib for the picture.  Prints a Markdown table."""
import argparse
import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy

THETAS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0]
RHO = 0.005


def run(args, name, theta, audit):
    path = os.path.join(args.out, name + ".h5")
    if not os.path.exists(path):
        subprocess.run([args.program, "run", args.scenario, "-o", path, "--threads", "1", "--quiet",
                        "--set", f"protocol.theta={theta}", "--set", f"protocol.audit={audit:.9f}"]
                       + [x for s in args.set for x in ("--set", s)],
                       stdout=subprocess.DEVNULL, check=False)
    with h5py.File(path, "r") as f:
        return {k: f["summary"][k][()] for k in f["summary"]}, path


def closed_form(path, theta, rho):
    """Drawn by theta or audit per epoch, expected, and z of the difference over all whole epochs.

    A node below theta is drawn for certain, any other with probability rho; those that wait for a
    second asking are not drawn, and ejected ones have no record (NaN)."""
    with h5py.File(path, "r") as f:
        u, score = f["node_epoch/utilisation"][:], f["node_epoch/score"][:]
        c = {k: f["challenges"][k][:] for k in ("epoch", "cause", "asking", "node")}
    theta = round(theta * 2**31) / 2**31  # as the chain has it
    seen = expected = variance = 0.0
    last = u.shape[0] - 3  # later challenges may not be settled when the run ends
    for e in range(1, last):
        node = ~numpy.isnan(score[e - 1]) & ~numpy.isnan(score[e])
        node[c["node"][(c["asking"] == 2) & (c["epoch"] == e - 1)]] = False
        below = node & (u[e - 1] < theta)
        seen += ((c["epoch"] == e) & (c["cause"] & 3 != 0) & (c["asking"] == 1)).sum()
        expected += below.sum() + rho * (node & ~below).sum()
        variance += rho * (1 - rho) * (node & ~below).sum()
    return seen / (last - 1), expected / (last - 1), (seen - expected) / math.sqrt(max(variance, 1))


def nodes(path):
    """Validators and service nodes: who can be challenged."""
    with h5py.File(path, "r") as f:
        return int((~numpy.isnan(f["node_epoch/score"][0])).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/destrasim")
    parser.add_argument("--scenario", default="scenarios/theta-baseline.yaml")
    parser.add_argument("--out", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--svg")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    with ThreadPoolExecutor(args.jobs) as pool:
        theta_runs = list(pool.map(lambda t: run(args, f"theta-{t}", t, RHO), THETAS))
        counts = [closed_form(path, t, RHO) for t, (_, path) in zip(THETAS, theta_runs)]
        audits = [RHO if t == 0 else count[0] / nodes(path)
                  for t, count, (_, path) in zip(THETAS, counts, theta_runs)]
        audit_runs = list(pool.map(lambda x: run(args, f"audit-{x[0]}", 0, x[1]), zip(THETAS, audits)))
    rows = []
    for t, rho, count, (s, _), (a, audit_path) in zip(THETAS, audits, counts, theta_runs, audit_runs):
        seen, expected, z = count
        spent = closed_form(audit_path, 0, rho)[0]
        lift = (float(theta_runs[0][0]["loss"]) - float(s["loss"])) / \
               (float(theta_runs[0][0]["loss"]) - float(a["loss"])) if t > 0 else float("nan")
        rows.append(dict(theta=t, quantile=float(s["theta_quantile"]), seen=seen, expected=expected, z=z, spent=spent,
                         ghost=float(s["detect_5.ghost"]), partial=float(s["detect_20.partial"]),
                         washer=float(s["detect_20.washer"]), audit_ghost=float(a["detect_5.ghost"]),
                         audit_partial=float(a["detect_20.partial"]), audit_washer=float(a["detect_20.washer"]),
                         bytes=100 * float(s["challenge_bytes_share"]), failed=int(s["honest_failed"]),
                         loss=float(s["loss"]), audit_loss=float(a["loss"]), lift=lift))
    print("| theta | nodes below | challenges/epoch | closed form | z | ghost in 5 | partial in 20 | washer in 20 |"
          " traffic | honest failed | loss | audits/epoch | ghost in 5 | partial | washer | loss | theta_lift |")
    print("|" + " ---: |" * 17)
    for r in rows:
        print(f"| {r['theta']:g} | {r['quantile']:.1%} | {r['seen']:.1f} | {r['expected']:.1f} | {r['z']:+.2f} |"
              f" {r['ghost']:.0%} | {r['partial']:.0%} | {r['washer']:.0%} | {r['bytes']:.2f} % | {r['failed']} |"
              f" {r['loss']:.2f} % | {r['spent']:.1f} | {r['audit_ghost']:.0%} | {r['audit_partial']:.0%} | {r['audit_washer']:.0%} | {r['audit_loss']:.2f} % |"
              f" {r['lift']:.2f} |")
    with open(os.path.join(args.out, "table.json"), "w", encoding="utf-8") as f:
        json.dump(rows, f, indent=1)
    if args.svg:
        plot(rows, args.svg)
    return 0


def plot(rows, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "destrasim"
    import matplotlib.pyplot as pyplot
    theta = [r["theta"] for r in rows]
    figure, axes = pyplot.subplots(1, 3, figsize=(12, 3.6))
    axes[0].plot(theta, [100 * r["partial"] for r in rows], "o-", label="partial(0.3), theta")
    axes[0].plot(theta, [100 * r["audit_partial"] for r in rows], "o--", mfc="none", label="partial(0.3), same number of audits")
    axes[0].plot(theta, [100 * r["washer"] for r in rows], "s-", label="washer, theta")
    axes[0].plot(theta, [100 * r["audit_washer"] for r in rows], "s--", mfc="none", label="washer, same number of audits")
    axes[0].set_ylabel("caught within 20 epochs, %")
    axes[1].plot(theta, [r["seen"] for r in rows], "o-", label="challenges per epoch")
    axes[1].plot(theta, [r["expected"] for r in rows], "k+", label="closed form")
    axes[1].set_ylabel("challenges per epoch")
    axes[2].plot(theta, [r["loss"] for r in rows], "o-", label="theta")
    axes[2].plot(theta, [r["audit_loss"] for r in rows], "o--", mfc="none", label="same number of audits")
    axes[2].set_ylabel("loss, % of what is issued to service nodes")
    for a in axes:
        a.set_xlabel("theta")
        a.grid(alpha=0.3)
        a.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
