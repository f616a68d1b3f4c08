"""`destrasim detect`: what it reads, what it says, and what its scores are."""
import csv
import io
import math
import os
import random
import re
import unittest

import cli
from cli import Case

SAID = re.compile(r"^(\w+) +AUROC ([0-9.]+) of (\w+): (\d+) anomalies among (\d+) rows$", re.M)


def as_csv(head, rows):
    return "\n".join([",".join(head)] + [",".join("" if x is None else repr(x) for x in row)
                                         for row in rows]) + "\n"


def cloud(rows=60, columns=3, seed=1):
    """A table around 0 whose last row is far away."""
    draw = random.Random(seed)
    table = [[draw.gauss(0, 1) for _ in range(columns)] for _ in range(rows - 1)]
    return table + [[9.0] * columns]


class Detect(Case):
    def scores(self, content, *args):
        """{detector: scores}, None where there is none; standard error."""
        name = self.write("in.csv", content)
        done = self.call("detect", "--input", name, *args, code=0)
        rows = list(csv.reader(io.StringIO(done.stdout)))
        return {name: [float(x) if x else None for x in column]
                for name, column in zip(rows[0], zip(*rows[1:]))}, done.stderr

    def refuse(self, content, place, *words, args=(), code=2):
        """The one diagnostic, at LINE:COL."""
        name = self.write("in.csv", content)
        done = self.call("detect", "--input", name, *args, code=code)
        self.assertEqual(done.stdout, "")
        found = cli.DIAGNOSTIC.findall(done.stderr)
        self.assertEqual(len(found), 1, done.stderr)
        self.assertEqual(f"{found[0][1]}:{found[0][2]}", place, done.stderr)
        self.assertEqual(found[0][0], name)
        for word in words:
            self.assertIn(word, found[0][3])

    def refuse_usage(self, args, *words):
        done = self.call("detect", *args, code=2)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("destrasim: error: "), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        for word in words:
            self.assertIn(word, done.stderr)


class Tables(Detect):
    def test_every_detector_that_suits_finds_the_row_apart(self):
        content = as_csv(["a", "b", "c"], cloud())
        found, said = self.scores(content)
        self.assertEqual(list(found), ["mad", "iforest", "hst", "knn"])
        for name, column in found.items():
            self.assertEqual(len(column), 60)
            self.assertEqual(max(column), column[-1], name)
            self.assertGreater(column[-1], sorted(column)[-2], name)
        self.assertEqual(said, "")

    def test_seed_and_file_decide_alone(self):
        content = as_csv(["a", "b", "c"], cloud())
        one, two, other = (self.scores(content, "--seed", s)[0] for s in ("7", "7", "8"))
        self.assertEqual(one, two)
        self.assertNotEqual(one["iforest"], other["iforest"])
        self.assertEqual(one["knn"], other["knn"])

    def test_options_of_the_forest_and_of_neighbours(self):
        content = as_csv(["a", "b", "c"], cloud())
        plain, _ = self.scores(content)
        for option, value, moved in (("--trees", "10", "iforest"), ("--sample", "16", "iforest"),
                                     ("--neighbours", "2", "knn")):
            found, _ = self.scores(content, option, value)
            for name in plain:
                self.assertEqual(found[name] != plain[name], name == moved, f"{option} {name}")

    def test_neighbours_are_what_they_are_said_to_be(self):
        rows = cloud(40, 3, 5)
        for at in ((3, 1), (17, 0), (17, 2)):
            rows[at[0]][at[1]] = None
        found, _ = self.scores(as_csv(["a", "b", "c"], rows), "--detector", "knn")
        for mine, theirs in zip(neighbours(rows, 5), found["knn"]):
            self.assertAlmostEqual(mine, theirs, delta=1e-9)

    def test_labels_are_kept_away_and_judge(self):
        rows = cloud()
        rows[0][0] = None
        truth = [1.0 if i % 7 == 3 or i == 59 else 0.0 for i in range(60)]
        labelled = as_csv(["a", "label", "b", "c"], [[r[0], t, r[1], r[2]]
                                                     for r, t in zip(rows, truth)])
        plain, _ = self.scores(as_csv(["a", "b", "c"], rows))
        found, said = self.scores(labelled)
        self.assertEqual(found, plain)
        printed = {m[1]: m for m in SAID.finditer(said)}
        self.assertEqual(list(printed), list(found))
        for name, m in printed.items():
            self.assertEqual(m[3], "label")
            self.assertEqual((int(m[4]), int(m[5])), (int(sum(truth)), 60))
            self.assertAlmostEqual(float(m[2]), auroc(found[name], truth), delta=1e-6)

    def test_more_labels_and_none(self):
        rows = [r + [i % 2, i // 59] for i, r in enumerate(cloud())]
        content = as_csv(["a", "b", "c", "even", "last"], rows)
        found, said = self.scores(content, "--label", "even", "--label", "last", "--detector",
                                  "iforest")
        self.assertEqual([m[3] for m in SAID.finditer(said)], ["even", "last"])
        self.assertEqual(SAID.findall(said)[1][1], "1.000000")
        self.assertEqual(found, self.scores(as_csv(["a", "b", "c"], cloud()), "--detector",
                                            "iforest")[0])
        _, said = self.scores(as_csv(["a", "label"], [[i, 0] for i in range(20)]), "--detector",
                              "mad")
        self.assertEqual(said, "mad      no AUROC of label: 0 anomalies among 20 rows with score "
                               "and label\n")

    def test_columns_that_are_left_out(self):
        rows = [["x%d" % i] + r for i, r in enumerate(cloud())]
        content = "\n".join(["id,a,b,c"] + [",".join(map(str, r)) for r in rows])
        plain, _ = self.scores(as_csv(["a", "b", "c"], cloud()))
        self.assertEqual(self.scores(content, "--ignore", "id")[0], plain)
        self.assertEqual(self.scores(content, "--table")[0], plain)

    def test_what_csv_may_look_like(self):
        plain, _ = self.scores(as_csv(["a", "b"], [[i, i * i % 7] for i in range(30)]))
        lines = ["a,b"] + [f"{i},{i * i % 7}" for i in range(30)]
        shapes = {
            "no newline at the end": "\n".join(lines),
            "CRLF": "\r\n".join(lines) + "\r\n",
            "byte order mark": "\ufeff" + "\n".join(lines),
            "empty lines": "\n\n" + "\n\n".join(lines) + "\n \n\n",
            "quotes": "\n".join('"' + line.replace(",", '","') + '"' for line in lines),
            "blanks": "\n".join(" " + line.replace(",", " ,\t") + " " for line in lines),
            "numbers": "\n".join([lines[0]] + [f"+{i}.0e0,{i * i % 7}.E+0" for i in range(30)]),
        }
        for name, content in shapes.items():
            self.assertEqual(self.scores(content)[0], plain, name)

    def test_missing_cells(self):
        rows = cloud()
        rows[5] = [None, None, None]
        rows[6][1] = None
        found, _ = self.scores(as_csv(["a", "b", "c"], rows))
        for name, column in found.items():
            self.assertIsNone(column[5], name)
            self.assertIsNotNone(column[6], name)
        one = self.write("one.csv", as_csv(["a"], [[i] for i in range(20)] + [[None], [50]]))
        text = self.call("detect", "--input", one, "--detector", "mad", code=0).stdout
        self.assertEqual(len(text.splitlines()), 23)
        self.assertEqual(text.splitlines()[21], '""')

    def test_equal_rows_and_constant_columns(self):
        found, _ = self.scores(as_csv(["a", "b"], [[1, 2]] * 30 + [[1, 3]]))
        for name, column in found.items():
            self.assertTrue(all(x is not None and math.isfinite(x) for x in column), name)
        for name in ("mad", "knn"):
            self.assertGreater(found[name][30], found[name][0], name)
        self.scores(as_csv(["a", "b"], [[1e100, -1e100], [-1e100, 1e-300]] * 20))

    def test_into_a_file(self):
        content = as_csv(["a", "b", "c"], cloud())
        name = self.write("in.csv", content)
        done = self.call("detect", "--input", name, "-o", "out.csv", code=0)
        self.assertEqual(done.stdout, "")
        self.assertEqual(cli.read(self.path("out.csv")).decode(),
                         self.call("detect", "--input", name, code=0).stdout)


class SeriesMode(Detect):
    def series(self, rows=460, seed=3):
        draw = random.Random(seed)
        return [math.sin(i / 9) + draw.gauss(0, 0.1) + (4 if i == 400 else 0)
                for i in range(rows)]

    def content(self, values):
        return "timestamp,value\n" + "".join(f"2026-01-01 00:{i},{x!r}\n"
                                             for i, x in enumerate(values))

    def test_a_spike_is_found_by_all_and_no_row_knows_the_future(self):
        values = self.series()
        found, _ = self.scores(self.content(values))
        self.assertEqual(list(found), ["ewma", "mad", "cusum", "iforest", "hst", "knn"])
        for name in ("ewma", "mad", "iforest", "hst", "knn"):
            known = [x for x in found[name][:400] if x is not None]
            self.assertGreater(found[name][400], max(known), name)
        shorter, _ = self.scores(self.content(values[:430]))
        for name, column in found.items():
            self.assertEqual(shorter[name], column[:430], name)

    def test_times_are_recognised(self):
        values = self.series(250)
        plain, _ = self.scores(self.content(values))
        for head in ("time", "date", "datetime"):
            text = head + ",value\n" + "".join(f"{i},{x!r}\n" for i, x in enumerate(values))
            self.assertEqual(self.scores(text)[0], plain, head)
        text = "value\n" + "".join(f"{x!r}\n" for x in values)
        self.assertEqual(self.scores(text, "--series")[0], plain)
        self.assertNotIn("ewma", self.scores(text)[0])

    def test_neighbours_of_an_embedded_series(self):
        """All of it, told once more: means, neighbours, quantile, peaks."""
        values = self.series()
        embedded = [[math.fsum(values[max(0, i - s + 1):i + 1]) / min(s, i + 1)
                     for s in (1, 4, 16, 64, 256)] for i in range(len(values))]
        raw = []
        for i, row in enumerate(embedded):
            past = embedded[:max(0, i - 64)]
            if len(past) < 8:
                raw.append(None)
                continue
            scale = [deviation([r[c] for r in embedded[:i]]) for c in range(5)]
            near = sorted(math.sqrt(sum(((a - b) / s) ** 2 for a, b, s in zip(row, other, scale)))
                          for other in past)
            raw.append(near[4])
        relative, known = [], []
        for x in raw:
            enough = x is not None and len(known) >= 100
            relative.append(x / (sorted(known)[len(known) * 9 // 10] + 0.001) if enough else None)
            known += [x] if x is not None else []
        content = self.content(values)
        self.same(relative, self.scores(content, "--detector", "knn")[0]["knn"])
        for hold in (10, 200):
            peaks = [x if x is None or all(x > y for y in relative[max(0, i - hold):i]
                                           if y is not None) else 0.0
                     for i, x in enumerate(relative)]
            self.same(peaks, self.scores(content, "--detector", "knn", "--hold",
                                         str(hold))[0]["knn"])

    def same(self, expected, found):
        self.assertEqual([x is None for x in expected], [x is None for x in found])
        for mine, theirs in zip(expected, found):
            if mine is not None:
                self.assertAlmostEqual(mine, theirs, delta=1e-7 * (1 + abs(mine)))

    def test_scales_and_window(self):
        content = self.content(self.series())
        plain, _ = self.scores(content)
        scales, _ = self.scores(content, "--scales", "1")
        window, _ = self.scores(content, "--window", "50")
        for name in plain:
            self.assertNotEqual(scales[name], plain[name], name)
            self.assertEqual(window[name] != plain[name], name in ("mad", "iforest"), name)

    def test_gaps_short_and_flat_series(self):
        values = self.series()
        text = "timestamp,value\n" + "".join(f"{i},{'' if 200 <= i < 240 else repr(x)}\n"
                                             for i, x in enumerate(values))
        found, _ = self.scores(text, "--scales", "1")
        for name, column in found.items():
            self.assertEqual(column[200:240], [None] * 40, name)
            self.assertIsNotNone(column[420], name)
        for name, column in self.scores(self.content([5.0]))[0].items():
            self.assertEqual(column, [None], name)
        for name, column in self.scores(self.content([5.0] * 400))[0].items():
            self.assertTrue(all(x is None or x < 1e6 for x in column), name)


class Refusals(Detect):
    def test_bad_files(self):
        good = "a,b\n1,2\n"
        for content, place, *words in (
                ("", "1:1", "empty"),
                ("\n \n", "1:1", "empty"),
                ("a,b\n", "2:1", "no rows"),
                ("a,b", "1:1", "no rows"),
                ("1,2\n3,4\n", "1:1", "names the columns", "x0,x1"),
                ("a,,c\n1,2,3\n", "1:3", "no name"),
                ("a,b,\n1,2,\n", "1:5", "last column has no name"),
                ("a,b,a\n1,2,3\n", "1:5", "second column called `a`"),
                ("a;b\n1;2\n", "1:1", "commas"),
                (good + "3,4,5\n", "3:5", "a cell too many", "2 columns"),
                (good + "3\n", "3:2", "1 cell, ", "2 columns"),
                (good + "3,x\n", "3:3", "`x` in column `b` is no number", "--ignore 'b'"),
                (good + "3,0x10\n", "3:3", "no number"),
                (good + "3,1e\n", "3:3", "no number"),
                (good + "3,.\n", "3:3", "no number"),
                (good + "3,1 2\n", "3:3", "no number"),
                (good + "\n\n3,nan\n", "5:3", "leave the cell empty"),
                (good + "-inf,4\n", "3:1", "leave the cell empty"),
                (good + "3,1e101\n", "3:3", "too large"),
                (good + "3,-1e999\n", "3:3", "too large"),
                (good + "3,\"4\n5,6\n", "3:3", "never closed"),
                (good + "3,\"4\"5\n", "3:6", "behind the closing quote"),
                (b"a,b\n1,2\n3,\x004\n", "3:3", "zero byte"),
                (b"\x1f\x8b\x08\x00abc", "1:1", "compressed"),
                ("timestamp,label\n1,0\n", "1:1", "no column of numbers"),
        ):
            with self.subTest(content=content):
                self.refuse(content, place, *words)

    def test_bad_usage(self):
        path = self.write("in.csv", as_csv(["a", "size", "label"], [[i, i, i] for i in range(30)]))
        given = ["--input", path]
        self.refuse_usage([], "--input FILE.csv")
        self.refuse_usage([*given, "--detector", "iforrest"], "did you mean `iforest`?")
        self.refuse_usage([*given, "--detector", "quantum"], "unknown detector")
        self.refuse_usage([*given, "--detector", "mad", "--detector", "mad"], "twice")
        self.refuse_usage([*given, "--ignore", "label", "--detector", "ewma"], "--series")
        self.refuse_usage([*given, "--label", "sise"], "did you mean `size`?")
        self.refuse_usage([*given, "--ignore", "weather"], "no column `weather`")
        self.refuse_usage(given, "row 3 of", "has 2 in column `label`", "0 or 1")
        self.refuse_usage([*given, "--series", "--table"], "exclude")
        for scales in ("", "0,4", "4,4", "8,4", "1,x", "1,", "1,99999999999",
                       ",".join(map(str, range(1, 18)))):
            self.refuse_usage([*given, "--scales", scales], "--scales wants")
        for option, value in (("--trees", "0"), ("--sample", "1"), ("--seed", "-1"),
                              ("--neighbours", "65"), ("--window", "many")):
            self.refuse_usage([*given, option, value], f"{option} wants a whole number")
        self.refuse_usage([*given, "--ignore", "label", "-o", path], "is the input")
        self.refuse_usage([*given, "--sed", "1"], "did you mean `--seed`?")

    def test_what_cannot_be_read_or_written(self):
        path = self.write("in.csv", as_csv(["a"], [[i] for i in range(30)]))
        for args in (["--input", self.path("none.csv")], ["--input", self.folder],
                     ["--input", path, "-o", self.path("none/out.csv")]):
            done = self.call("detect", *args, code=3)
            self.assertEqual(done.stdout, "")
            self.assertIn("could not", done.stderr)
        if os.path.exists("/dev/full"):
            self.call("detect", "--input", path, "-o", "/dev/full", code=3)


def deviation(values):
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((x - mean) ** 2 for x in values) / len(values))


def neighbours(rows, k):
    scale = [deviation([r[c] for r in rows if r[c] is not None]) for c in range(len(rows[0]))]

    def distance(a, b):
        both = [(x - y) / s for x, y, s in zip(a, b, scale) if x is not None and y is not None]
        return math.sqrt(sum(d * d for d in both) * len(a) / len(both)) if both else math.inf

    return [sorted(distance(a, b) for j, b in enumerate(rows) if j != i)[k - 1]
            for i, a in enumerate(rows)]


def auroc(scores, labels):
    pairs = [(a > b) + 0.5 * (a == b) for a, x in zip(scores, labels) if x
             for b, y in zip(scores, labels) if not y]
    return sum(pairs) / len(pairs)


if __name__ == "__main__":
    cli.main()
