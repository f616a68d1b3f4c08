"""Detectors over NAB's series, scored by the rules of NAB 1.1 (Lavin and Ahmad 2015, and the code of
numenta/NAB): all three profiles.

    nab.py PROGRAM SHARED [--detectors NAME,NAME...]

First the scorer itself: from the scores that NAB publishes for its Windowed Gaussian detector it
must get what NAB got, file by file.  Then the detectors, one configuration for all files:

    destrasim detect --input FILE --hold 200

The rules, in short.  The first 15 % of a file (750 rows at most) are not scored.  At a threshold,
each window of anomalies counts once, by its earliest detection: from 1 at its left end down to 0 at
its right one, along a sigmoid, or -1 times the weight of a miss.  Every detection outside costs the
weight of a false alarm, less if a window ended shortly before.  The threshold is the best one over
all files together; 100 is a detector without fault, 0 one that is silent.
"""
import argparse
import json
import math
import os
import sys
import tempfile

import published
from published import check

GROUPS = ["artificialNoAnomaly", "artificialWithAnomaly", "realAWSCloudwatch"]
PROFILES = ["standard", "reward_low_FP_rate", "reward_low_FN_rate"]
OPTIONS = ["--hold", "200"]
PROBATION, PROBATION_ROWS_MAX = 0.15, 750
TARGET = 55.0  # of the best of ours, standard profile


def sigmoid(position):
    """Value of a detection: -1 is the left end of a window, 0 the right one, beyond 3 nothing."""
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


class Series:
    """A file's rows that are scored, apart from any detector: value and window of each."""

    def __init__(self, name, times, windows):
        self.name, self.windows, self.rows = name, len(windows), len(times)
        self.first = int(min(math.floor(PROBATION * len(times)), PROBATION_ROWS_MAX))
        first_at = {}
        for i, time in enumerate(times):
            first_at.setdefault(time, i)
        self.window = [None] * len(times)  # number of the window a row is in
        self.value = [-1.0] * len(times)   # of a detection, before weights
        for number, (start, end) in enumerate(windows):
            left, right = first_at[start], first_at[end]
            for i in range(left, right + 1):
                self.window[i] = number
                self.value[i] = sigmoid((i - right - 1) / (right - left + 1)) / sigmoid(-1.0)
            after = first_at[windows[number + 1][0]] if number + 1 < len(windows) else len(times)
            for i in range(right + 1, after):
                self.value[i] = sigmoid((i - right) / (right - left))

    def score(self, scores, threshold, weights):
        """(raw score, [TP, FP, FN, TN]), as rows of NAB's result files."""
        best, alarms, counts = {}, 0.0, [0, 0, 0, 0]
        for i in range(self.first, self.rows):
            inside, alarm = self.window[i] is not None, scores[i] >= threshold
            counts[(0 if inside else 1) if alarm else (2 if inside else 3)] += 1
            if alarm and inside:
                gain = self.value[i] * weights["tpWeight"]
                best[self.window[i]] = max(best.get(self.window[i], -weights["fnWeight"]), gain)
            elif alarm:
                alarms += self.value[i] * weights["fpWeight"]
        missed = self.windows - len(best)
        return alarms + sum(best.values()) - weights["fnWeight"] * missed, counts


def best_threshold(series, scores, weights):
    """The threshold with the greatest sum of raw scores: every score there is, from above."""
    points = sorted(((scores[f][i], f, i) for f, s in enumerate(series)
                     for i in range(s.first, s.rows)), key=lambda p: -p[0])
    total, best, found = 0.0, (0.0, math.inf), {}
    for at, (score, f, i) in enumerate(points):
        s = series[f]
        if s.window[i] is None:
            total += s.value[i] * weights["fpWeight"]
        else:
            key, gain = (f, s.window[i]), s.value[i] * weights["tpWeight"]
            before = found.get(key, -weights["fnWeight"])
            total += max(gain - before, 0.0)
            found[key] = max(before, gain)
        if (at + 1 == len(points) or points[at + 1][0] != score) and total > best[0]:
            best = (total, score)
    return best[1]


def normalise(raw, windows, weights):
    silent, faultless = -weights["fnWeight"] * windows, weights["tpWeight"] * windows
    return 100.0 * (raw - silent) / (faultless - silent)


def total_score(series, scores, threshold, weights):
    raw = sum(s.score(x, threshold, weights)[0] for s, x in zip(series, scores))
    return normalise(raw, sum(s.windows for s in series), weights)


# ---- data ----------------------------------------------------------------------------------------

class Data:
    def __init__(self, shared):
        self.folder = published.need(shared, "anomaly", "nab")
        with open(published.need(shared, "reference", "nab_profiles.json"), encoding="utf-8") as f:
            self.weights = {name: p["CostMatrix"] for name, p in json.load(f).items()}
        self.per_file = published.read_rows(
            published.need(shared, "reference", "nab_per_file_scores_given.csv"))
        self.splits = published.read_rows(
            published.need(shared, "reference", "nab_scores_by_split.csv"))
        with open(os.path.join(self.folder, "combined_windows.json"), encoding="utf-8") as f:
            windows = json.load(f)
        self.paths, self.series = [], []
        for group in GROUPS:
            for file in sorted(os.listdir(os.path.join(self.folder, group))):
                name = f"{group}/{file[:-len('.gz')]}"
                path = os.path.join(self.folder, group, file)
                times = [row["timestamp"] for row in published.read_rows(path)]
                ends = [(a[:19], b[:19]) for a, b in windows[name]]
                self.paths.append(path)
                self.series.append(Series(name, times, ends))

    def published_scores(self, profile):
        return {row["detector"]: float(row["given_split"]) for row in self.splits
                if row["profile"] == profile and row["detector"] and row["given_split"]}

    def gaussian(self):
        """What NAB publishes for its Windowed Gaussian detector."""
        scores = []
        for s in self.series:
            group, file = s.name.split("/")
            path = os.path.join(self.folder, "results_windowedGaussian", group,
                                f"windowedGaussian_{file}.gz")
            scores.append([float(row["anomaly_score"]) for row in published.read_rows(path)])
        return scores


def check_scorer(data):
    """Rows of NAB's own result files, from the scores alone."""
    scores = data.gaussian()
    rows = {(r["profile"], r["file"]): r for r in data.per_file
            if r["detector"] == "windowedGaussian"}
    check(len(rows) == len(PROFILES) * len(data.series), "rows of windowedGaussian are missing")
    for profile in PROFILES:
        weights = data.weights[profile]
        for s, x in zip(data.series, scores):
            theirs = rows[profile, s.name]
            raw, counts = s.score(x, float(theirs["threshold"]), weights)
            check(abs(raw - float(theirs["raw_score"])) < 1e-8 and s.windows == int(
                theirs["windows"]), f"{s.name}, {profile}: {raw}, NAB has {theirs['raw_score']}")
            check(counts == [int(theirs[n]) for n in ("TP", "FP", "FN", "TN")],
                  f"{s.name}, {profile}: {counts}, NAB has {theirs}")
        ours = total_score(data.series, scores, 1.0, weights)
        theirs = data.published_scores(profile)["windowedGaussian"]
        check(round(ours, 2) == theirs, f"{profile}: {ours:.4f}, published {theirs}")
        best = best_threshold(data.series, scores, weights)
        check(total_score(data.series, scores, best, weights) >= ours, "the best is not the best")
        print(f"scorer, {profile}: windowedGaussian {ours:.2f} as published")
    print()


def detect_all(program, data, detectors):
    """{detector: [scores of each file]}; a row without a score is not suspected."""
    found, chosen = {}, [x for name in detectors for x in ("--detector", name)]
    with tempfile.TemporaryDirectory(prefix="nab-") as folder:
        for path, s in zip(data.paths, data.series):
            scores, _ = published.detect(program, published.unpack(path, folder), *OPTIONS,
                                         *chosen)
            for name, column in scores.items():
                check(len(column) == s.rows, f"{s.name}: {len(column)} scores of {s.rows} rows")
                found.setdefault(name, []).append([x if x is not None else 0.0 for x in column])
    return found


def measure(program, data, detectors=()):
    """{detector: {profile: score}}; without a choice, of all detectors."""
    result = {}
    for name, scores in detect_all(program, data, detectors).items():
        result[name] = {}
        for profile in PROFILES:
            weights = data.weights[profile]
            threshold = best_threshold(data.series, scores, weights)
            result[name][profile] = total_score(data.series, scores, threshold, weights)
    return result


def report(data, result):
    rows = [(f"**{name}**", "destrasim", [scores[p] for p in PROFILES])
            for name, scores in result.items()]
    theirs = [data.published_scores(p) for p in PROFILES]
    rows += [(name, "published", [t[name] for t in theirs]) for name in theirs[0]]
    rows.sort(key=lambda row: -row[2][0])
    published.table(["detector", "", "standard", "low FP", "low FN"],
                    [[name, whose] + [f"{x:.2f}" for x in scores] for name, whose, scores in rows])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("shared")
    parser.add_argument("--detectors")
    args = parser.parse_args()

    def all_of_it():
        data = Data(args.shared)
        check_scorer(data)
        result = measure(args.program, data,
                         args.detectors.split(",") if args.detectors else ())
        report(data, result)
        best = max(scores["standard"] for scores in result.values())
        check(best >= TARGET, f"the best of ours reaches {best:.2f}, not {TARGET}")

    return published.run(all_of_it)


if __name__ == "__main__":
    sys.exit(main())
