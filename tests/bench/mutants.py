"""How soon `destrasim fuzz` finds each mutant, and how small the failure becomes: a Markdown table.

    mutants.py PROGRAM SCENARIO [--seeds 10] [--runs 2000] [--jobs N] [--mutant NAME]... [-o DIR]

PROGRAM is built with mutants (destrasim-mutants).  The settings are the same for all of them; seeds
are 1, 2 ... and never picked.  The mutant `none` is the protocol as it is: what it finds there is a
bug.  Medians are over all seeds; a seed that found nothing in --runs counts as more than that.
"""
import argparse
import json
import re
import statistics
import subprocess
import sys

NOT_FOR_FUZZ = {"nondeterminism"}  # for `verify`


def mutants(program):
    """Their names and meanings, as the program tells them."""
    text = subprocess.run([program, "explain", "protocol.mutant"], capture_output=True, text=True,
                          check=True).stdout
    schema = json.loads(subprocess.run([program, "schema"], capture_output=True, text=True,
                                       check=True).stdout)
    names = schema["properties"]["protocol"]["properties"]["mutant"]["enum"]
    return {name: (re.search(rf"\b{name}\s+(.+)", text) or [None, ""])[1] for name in names}


def campaign(args, name, seed):
    done = subprocess.run(
        [args.program, "fuzz", args.scenario, "--set", f"protocol.mutant={name}", "--seed",
         str(seed), "--runs", str(args.runs), "--jobs", str(args.jobs), "--json", "--quiet", "-o",
         args.folder, "--shrink-time", args.shrink_time],
        capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{name}, seed {seed}: exit code {done.returncode}\n{done.stderr}")
    failures = json.loads(done.stdout)["failures"]
    return failures[0] if failures else None


def median(values):
    return "-" if not values else f"{statistics.median(values):g}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("scenario")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--shrink-time", default="2 min")
    parser.add_argument("--mutant", action="append")
    parser.add_argument("-o", dest="folder", default="mutants")
    args = parser.parse_args()
    print("| mutant | what it does | found | runs until it is, median | invariants | faults as drawn "
          "| faults minimised, median (most) |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, meaning in mutants(args.program).items():
        if name in NOT_FOR_FUZZ or (args.mutant and name not in args.mutant):
            continue
        found = [campaign(args, name, seed) for seed in range(1, args.seeds + 1)]
        hits = [f for f in found if f is not None]
        runs = [args.runs + 1 if f is None else f["run"] + 1 for f in found]
        middle = statistics.median(runs)
        small = [f["faults_minimised"] for f in hits if f.get("confirmed")]
        keys = sorted({f["invariant"] for f in hits})
        most = f" ({max(small)})" if small else ""
        print(f"| {name} | {meaning} | {len(hits)} of {args.seeds} | "
              f"{f'{middle:g}' if middle <= args.runs else f'more than {args.runs}'} | "
              f"{', '.join(keys)} | {median([f['faults'] for f in hits])} | {median(small)}{most} |",
              flush=True)


if __name__ == "__main__":
    main()
