"""Both comparisons as one picture; matplotlib is needed for this alone.

    picture.py PROGRAM SHARED --svg OUT.svg

The same bytes from the same numbers and the same matplotlib: no date, fixed ids.
"""
import argparse
import statistics
import sys

import adbench
import nab
import published

INK, OURS, THEIRS, GRID = "#333333", "#1f6f8b", "#c4c9cd", "#e6e6e6"


def style(plt):
    plt.rcParams.update({
        "svg.hashsalt": "destrasim", "svg.fonttype": "none", "font.family": "sans-serif",
        "font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK,
        "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
        "axes.spines.right": False, "axes.axisbelow": True})


def draw_adbench(axes, results):
    names = sorted(results, key=lambda name: float(results[name][1]["iforest_mean"]))
    for y, name in enumerate(names):
        found, reference, allowed = results[name]
        theirs, forest = float(reference["iforest_mean"]), found["iforest"]
        axes.plot([theirs - allowed, theirs + allowed], [y, y], color=THEIRS, linewidth=7,
                  solid_capstyle="butt", label="allowed around the replication" if y == 0 else None)
        axes.plot(theirs, y, "|", color=INK, markersize=9, markeredgewidth=1.2,
                  label="replication (scikit-learn, 5 seeds)" if y == 0 else None)
        axes.plot(statistics.fmean(forest), y, "o", color=OURS, markersize=4.5,
                  label="destrasim (20 seeds)" if y == 0 else None)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("AUROC")
    axes.set_title("Isolation forest on ADBench", loc="left", fontsize=10)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def draw_nab(axes, data, result):
    bars = [(scores["standard"], name, True) for name, scores in result.items()]
    bars += [(score, name, False) for name, score in data.published_scores("standard").items()]
    bars.sort()
    for y, (score, _, ours) in enumerate(bars):
        axes.barh(y, score, height=0.72, color=OURS if ours else THEIRS)
        axes.text(score + 0.8, y, f"{score:.1f}", va="center", fontsize=8)
    axes.set_yticks(range(len(bars)), [name for _, name, _ in bars])
    for label, (_, _, ours) in zip(axes.get_yticklabels(), bars):
        label.set_color(OURS if ours else INK)
        label.set_fontweight("bold" if ours else "normal")
    axes.set_xlim(0, 82)
    axes.set_xlabel("score, standard profile (0 silent, 100 faultless)")
    axes.set_title("NAB, 28 series: destrasim (blue), published (grey)", loc="left", fontsize=10)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.tick_params(axis="y", length=0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("shared")
    parser.add_argument("--svg", required=True)
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    try:
        import matplotlib
    except ImportError:
        print("skipped: matplotlib is not there")
        return published.SKIPPED
    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    def all_of_it():
        style(plt)
        results, _ = adbench.measure(args.program, args.shared, adbench.SETS, args.seeds)
        data = nab.Data(args.shared)
        figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.9), layout="constrained")
        draw_adbench(left, results)
        draw_nab(right, data, nab.measure(args.program, data))
        figure.savefig(args.svg, format="svg", metadata={"Date": None, "Creator": None})

    return published.run(all_of_it)


if __name__ == "__main__":
    sys.exit(main())
