#!/usr/bin/python3
"""Is every cheat caught, by what, and what does it earn?  One adversary at a time, over many seeds.

Each case is one world (the network of scenarios/adaptive-vs-uniform.yaml, settings as one runs a
network with: theta 0.1, audits 0.1, four detectors and two relations) in which one group of nodes,
8 % of the service nodes or 10 % of the validators, follows one strategy.  Seeds are 1, 2, 3 ...;
intervals are 95 %, Student's t over the seeds.

    tests/bench/cast.py --program build/destrasim --out DIR [--seeds 10] [--jobs 1] [--only TEXT]

What is earned: reward less holding cost, less the take burned on own deals, less what was slashed; of
honest nodes, those of the same role, and of rational ones, while they were ghosts.  The window of
scores is shorter than what one lone anomaly needs, and long enough for ten of them.  The first
failure of each cheat names its causes.  Needs h5py and numpy.  Prints a Markdown table; DIR gets each
world as a YAML file, and cast.json with every number."""
import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy

WORLD = """# One adversary among honest nodes: {label}. Made by tests/bench/cast.py.
name: cast
duration: {epochs} epochs
crypto: modelled

network:
  regions: {regions}
  jitter: lognormal(0.016)
  bandwidth: 100 Mbit

nodes:
  - {{name: val, role: validator, count: {validators}, bond: 2000 DSYNC}}
{liars}  - name: sto
    role: service
    count: {honest}
    utilisation: beta(2, 3)
{common}{cheats}  - {{name: cli, role: client, count: 40, demand: {{arrivals: poisson(0.02 /s)}}}}

protocol:
  epoch_blocks: 20
  answer_heights: 80
  abandon_heights: 240
  theta: 0.1
  audit: {audit}
  take: 25 %
  detectors: {detectors}
  anomaly_window: 4000
{faults}
"""
COMMON = """    capacity: 1 TiB
    bond: 1000 DSYNC
    customers: 4
    chunk_time: 'lognormal(6 ms, 0.3)'
    access_delay: 'lognormal(5 ms, 0.8)'
    load_noise: 0.3
    links:
      - {share: 0.9, loss: 0.1 %}
      - {share: 0.1, loss: 3 %}
"""
CHEATS = """  - name: bad
    role: service
    count: {count}
    utilisation: {utilisation}
    strategy: {strategy}
{more}{common}"""
# label, strategy, and what of the world is different
CASES = [
    ("nobody", None, {}),
    ("ghost", "ghost", {}),
    ("partial(0.3)", "partial(0.3)", {}),
    ("partial(0.1)", "partial(0.1)", {}),
    ("partial(0.1), k by history", "partial(0.1)", {"protocol": "  difficulty: history\n"}),
    ("washer", "washer", {}),
    ("washer(3), a ring", "washer(3)", {}),
    ("outsourcer, one region", "outsourcer", {"more": "    place: [eu-central-1]\n"}),
    ("outsourcer, anywhere", "outsourcer", {}),
    ("outsourcer, anywhere, deadline_base 0", "outsourcer", {"protocol": "  deadline_base: 0 ms\n"}),
    ("honest nodes, deadline_base 0", None, {"protocol": "  deadline_base: 0 ms\n"}),
    ("stale", "stale", {}),
    ("sybil(8), as used as others", "sybil(8)", {}),
    ("sybil(8), idle", "sybil(8)", {"utilisation": "constant(0.05)"}),
    ("sybil(8), full", "sybil(8)", {"utilisation": "constant(1)"}),
    ("sybil(8), full, 1 verifier, audits 0.9, twin alone", "sybil(8)",
     {"utilisation": "constant(1)", "audit": 0.9, "detectors": "[twin]", "protocol": "  verifiers: 1\n"}),
    ("burst(0.5)", "burst(0.5)", {}),
    ("rational: honest or ghost", "rational",
     {"more": "    rational: {options: {honest: 0.5, ghost: 0.5}, revise: 0.2, explore: 0.01, strata: 1}\n"}),
    ("lying verifiers, 10 %", "lying", {"liars": 3}),
    ("griefer: 10 victims at a time", None,
     {"faults": "faults:\n  - {kind: grief, at: 1 min, nodes: service, count: 10, latency_add: 3 s}\n"}),
]
CAUSES = ["theta", "audit", "flag", "again", "ready"]
VALIDATORS, SERVICES, BAD, HOLDING = 30, 300, 24, 0.3
T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 7: 2.36, 9: 2.26, 14: 2.14, 19: 2.09, 29: 2.045}


def t95(n):
    return T95[max(k for k in T95 if k <= max(n - 1, 1))]


def interval(values):
    values = [v for v in values if v == v]
    if not values:
        return float("nan"), float("nan")
    half = t95(len(values)) * statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return statistics.fmean(values), half


def world(args, case):
    """The scenario of a case."""
    label, strategy, more = case
    service = strategy is not None and strategy != "lying"
    liars = more.get("liars", 0)
    cheats = CHEATS.format(count=BAD, utilisation=more.get("utilisation", "beta(2, 3)"),
                           strategy=strategy, more=more.get("more", ""), common=COMMON) if service else ""
    line = f"  - {{name: bad, role: validator, count: {liars}, bond: 2000 DSYNC, strategy: lying}}\n" if liars else ""
    regions = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../scenarios/data/aws-regions.csv"))
    return WORLD.format(label=label, epochs=args.epochs, regions=os.path.relpath(regions, args.out),
                        validators=VALIDATORS - liars, liars=line, honest=SERVICES - (BAD if service else 0),
                        common=COMMON, cheats=cheats, detectors=more.get("detectors", args.detectors), audit=more.get("audit", 0.1),
                        faults=more.get("protocol", "") + more.get("faults", ""))


def tag(label):
    return "-".join("".join(c if c.isalnum() else " " for c in label).split())


def by_cause(f, cheats):
    """Of the cheats that failed: for each cause, the share whose first failure had it."""
    first = {}
    settled = zip(f["challenges/node"][:], f["challenges/verdict"][:], f["challenges/cause"][:],
                  f["challenges/asking"][:])
    for node, verdict, cause, asking in settled:
        missed = verdict in (3, 4) and asking == 2
        if cheats[node] and (verdict == 2 or missed) and node not in first:
            first[int(node)] = int(cause)
    return [sum(1 for c in first.values() if c >> i & 1) / max(len(first), 1) for i in range(len(CAUSES))]


def measure(path, strategy, liars):
    """What one run came to."""
    with h5py.File(path, "r") as f:
        s = {k: float(f["summary"][k][()]) for k in f["summary"]}
        truth, role = f["node_strategy"][:], f["node_role"][:]
        group = numpy.array([n.split(b"[")[0] for n in f["node_name"][:]])
        bad = group == b"bad"
        reward = f["node_epoch/reward"][:] / 1e9
        names = f["strategies/strategy"].attrs["flag_meanings"].split()
        of = numpy.array([names[i] for i in f["strategies/strategy"][:]])
        slashed = {n: f["strategies/slashed"][:][of == n].sum() / 1e9 for n in names}
        flagged = f["node_epoch/flagged"][:] != 0
        causes = by_cause(f, bad)
    epochs = s["epochs"]
    honest = ~bad & (role == (0 if liars else 1))
    cost = 0 if liars else HOLDING
    r = {k: s.get(k, float("nan")) for k in ("detect_5", "detect_20", "mttd", "time_to_eject", "loss", "cheat_share",
                                             "honest_failed", "false_fail_rate", "honest_ejections_per_1000",
                                             "flags_total", "flags_false", "wash_margin", "requests_failed",
                                             "max_ejections_one_node")}
    r["honest"] = float(reward[:, honest].sum(0).mean() / epochs - cost)
    r["honest_slashed"] = slashed["honest"] / max(1, int((truth[role != 2] == 0).sum()))
    if bad.any():
        kind = "lying" if liars else strategy.split("(")[0]
        kind = "ghost" if kind == "rational" else kind
        r["reward"] = float(reward[:, bad].sum(0).mean() / epochs)
        r["profit"] = s[f"profit_by_strategy.{kind}"] / epochs
        r["flagged"] = float(flagged[:, bad].any(0).mean())
        r["slashed"] = sum(v for n, v in slashed.items() if n != "honest") / int(bad.sum())
        r["causes"] = causes
        if strategy == "rational":
            r["start"] = float((truth[bad] != 0).mean() * bad.sum() / SERVICES)
    r["flagged_honest"] = float(flagged[:, ~bad & (role != 2)].any(0).mean())
    return r


def run(args, case, seed):
    label, strategy, more = case
    path = os.path.join(args.out, tag(label))
    out = f"{path}-{seed}.h5"
    if not os.path.exists(out):
        result = subprocess.run([args.program, "run", path + ".yaml", "-o", out, "--seed", str(seed), "--threads", "1",
                                 "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"{label}, seed {seed}: {result.stderr}")
    return measure(out, strategy or "", more.get("liars", 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/destrasim")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--detectors", default="[ewma, mad, cusum, iforest, twin, circle]")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    cases = [c for c in CASES if args.only in c[0]]
    for case in cases:
        with open(os.path.join(args.out, tag(case[0]) + ".yaml"), "w", encoding="utf-8") as f:
            f.write(world(args, case))
    print(f"{args.seeds} seeds, {args.epochs} epochs, {SERVICES} service nodes of which {BAD} cheat")
    print("| strategy | failed in 5 epochs | in 20 | epochs to failure | to ejection | profit per node and epoch |"
          " of an honest node | flagged | slashed | first failure met by |")
    print("|" + " --- |" + " ---: |" * 8 + " --- |")
    rows = []
    with ThreadPoolExecutor(args.jobs) as pool:
        for case in cases:
            runs = list(pool.map(lambda seed, c=case: run(args, c, seed), range(1, args.seeds + 1)))
            m = {k: interval([r[k] for r in runs]) for k in runs[0] if k != "causes"}
            cell = lambda k, d=2: f"{m[k][0]:.{d}f} ± {m[k][1]:.{d}f}" if k in m and m[k][0] == m[k][0] else ""
            causes = ""
            if "causes" in runs[0]:
                mean = [statistics.fmean(r["causes"][i] for r in runs) for i in range(len(CAUSES))]
                causes = ", ".join(f"{n} {v:.0%}" for n, v in zip(CAUSES, mean) if v > 0.005)
            print(f"| {case[0]} | {cell('detect_5')} | {cell('detect_20')} | {cell('mttd', 1)} | {cell('time_to_eject', 1)} |"
                  f" {cell('profit', 3)} | {cell('honest', 3)} | {cell('flagged')} | {cell('slashed', 1)} | {causes} |",
                  flush=True)
            rows.append({"case": case[0], "metrics": m, "causes": causes})
    with open(os.path.join(args.out, "cast.json"), "w", encoding="utf-8") as f:
        json.dump(rows, f, indent=1)
    print()
    for row in rows:
        more = {k: f"{v[0]:.3g} ± {v[1]:.2g}" for k, v in row["metrics"].items()
                if k in ("honest_failed", "false_fail_rate", "honest_ejections_per_1000", "cheat_share", "start",
                         "flags_total", "flags_false", "loss", "wash_margin", "reward", "flagged_honest", "honest",
                         "honest_slashed", "requests_failed")}
        print(row["case"], more)
    return 0


if __name__ == "__main__":
    sys.exit(main())
