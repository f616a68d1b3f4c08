"""`destrasim report`: a page of runs and studies, and single figures."""
import csv
import html.parser
import os
import re
import shutil
import unittest
import xml.etree.ElementTree

import cli
from cli import Case, read, scenario

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "line", "rect", "circle"}


class Page(html.parser.HTMLParser):
    """Tags that match, ids, links and what would be fetched."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.fetched, self.tags = [], [], [], [], {}
        self.wrong, self.headings, self.texts = [], [], []
        self.feed(text)
        self.close()
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a" and values.get("href", "").startswith("#"):
            self.links.append(values["href"][1:])
        for name in ("src", "href", "xlink:href", "data", "poster", "srcset", "action"):
            value = values.get(name, "")
            if value and not value.startswith(("#", "data:")):
                self.fetched.append(f"{tag} {name}={value}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]} at {self.getpos()}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h2", "h3"):
            self.headings.append(data)
        if "script" not in self.open and "style" not in self.open:
            self.texts.append(data)


STUDY = """name: tiny
scenario: {smoke}
set: {{duration: 2 epochs, faults: [], expect: [safety]}}
parameters:
  - {{path: protocol.theta, values: [0.1, 0.4]}}
  - {{path: protocol.audit, values: [0.05, 0.3]}}
design: grid
replications: 2
objectives: [minimise loss]
"""


class Report(Case):
    def page(self, path):
        text = read(self.path(path)).decode()
        page = Page(text)
        self.assertEqual(page.wrong, [])
        self.assertEqual(len(set(page.ids)), len(page.ids), "ids are used twice")
        self.assertLessEqual(set(page.links), set(page.ids))
        self.assertEqual(page.fetched, [])
        self.assertNotRegex(text, r"url\((?!['\"]?(data:|#))|@import")
        return page, text

    def figures(self, *files):
        listed = self.call("report", *files, "--list", code=0).stdout
        return [line.split()[0] for line in listed.splitlines()]

    def test_page_of_a_run(self):
        self.run_smoke("a.h5")
        done = self.call("report", "a.h5", code=0)
        self.assertEqual(done.stdout, "report.html\n")
        self.assertEqual(done.stderr, "")
        page, text = self.page("report.html")
        ids = self.figures("a.h5")
        self.assertGreaterEqual(set(ids), {"finality", "challenges", "survival", "roc", "faults",
                                           "why", "utilisation-score", "traffic", "map"})
        self.assertLessEqual(set(ids), set(page.ids))
        self.assertGreaterEqual(page.tags["svg"], len(ids))
        words = " ".join(page.texts)
        for said in ("12 validators, 30 service nodes, 6 clients; seed 1", "4 of 4 expectations",
                     "Every invariant of the protocol held", "destrasim verify a.h5",
                     "destrasim run smoke.yaml --seed 1", "trace digest"):
            self.assertIn(said, words)
        self.assertNotIn(self.folder, text)

    def test_numbers_are_the_summary_s(self):
        self.run_smoke("a.h5")
        self.call("report", "a.h5", "--format", "csv", "--figure", "roc", "--figure", "why", code=0)
        with open(self.path("report-roc.csv"), encoding="utf-8") as f:
            rows = list(csv.reader(f))
        name = next(r[0] for r in rows[1:] if r[0].startswith("low mean utilisation"))
        self.assertIn("area 0.701 ", name)  # u_auroc of this scenario: utilisation hardly moves
        with open(self.path("report-why.csv"), encoding="utf-8") as f:
            total = sum(float(r[2]) for r in list(csv.reader(f))[1:])
        self.assertGreaterEqual(total, 90)  # askings; some have two causes

    def test_same_bytes_twice_and_from_elsewhere(self):
        self.run_smoke("a.h5")
        os.mkdir(self.path("x"))
        shutil.copy(self.path("a.h5"), self.path("x/a.h5"))
        self.call("report", "a.h5", "-o", "one.html", code=0)
        self.call("report", "x/a.h5", "-o", "two.html", code=0, env={"TZ": "Asia/Tokyo",
                                                                     "LC_ALL": "de_DE.UTF-8"})
        self.assertEqual(read(self.path("one.html")), read(self.path("two.html")))

    def test_several_runs_are_compared(self):
        self.run_smoke("a.h5")
        self.run_smoke("b.h5", "--seed", "2")
        self.call("report", "a.h5", "b.h5", code=0)
        page, _ = self.page("report.html")
        self.assertIn("compare-finality", page.ids)
        self.assertIn("f1-roc", page.ids)
        self.assertIn("f2-roc", page.ids)
        self.assertIn("b.h5: Summary", page.headings)

    def test_study(self):
        self.write("study.yaml", STUDY.format(smoke=scenario("smoke.yaml")))
        self.call("sweep", "study.yaml", "-o", "d", "--quiet", code=0)
        self.call("report", "d", "-o", "a.html", code=0)
        self.call("report", "d/study.h5", "-o", "b.html", code=0)
        self.assertEqual(read(self.path("a.html")), read(self.path("b.html")))
        page, _ = self.page("a.html")
        self.assertGreaterEqual(set(page.ids), {"curve-loss-theta", "curve-loss-audit",
                                                "sensitivity-loss", "heat-loss", "paired-loss",
                                                "theta-trade-off", "optimum-audit"})
        words = " ".join(page.texts)
        self.assertIn("4 points, at most 2 replications each", words)
        self.assertIn("destrasim sweep tiny.yaml", words)

    def test_one_run_has_no_interval(self):
        self.write("study.yaml", STUDY.format(smoke=scenario("smoke.yaml")))
        self.call("sweep", "study.yaml", "-o", "d", "--quiet", "--set", "replications=1", code=0)
        self.call("report", "d", "-o", "x", "--format", "csv", "--figure", "curve-loss-theta", code=0)
        with open(self.path("x-curve-loss-theta.csv"), encoding="utf-8") as f:
            rows = f.read().splitlines()[1:]
        self.assertEqual(len(rows), 4)
        for row in rows:
            self.assertTrue(row.endswith(",,"), row)

    def test_single_figures(self):
        self.run_smoke("a.h5")
        done = self.call("report", "a.h5", "--format", "csv", "-o", "x.html", code=0)
        ids = self.figures("a.h5")
        self.assertEqual(done.stdout.split(), [f"x-{i}.csv" for i in ids])
        for i in ids:
            with open(self.path(f"x-{i}.csv"), encoding="utf-8") as f:
                rows = list(csv.reader(f))
            self.assertGreater(len(rows), 1, i)
            self.assertEqual({len(r) for r in rows}, {len(rows[0])}, i)

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_gnuplot(self):
        self.run_smoke("a.h5")
        for form, magic in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
            self.call("report", "a.h5", "--format", form, "--figure", "finality", code=0)
            once = read(self.path(f"report-finality.{form}"))
            self.assertTrue(once.startswith(magic))
            self.call("report", "a.h5", "--format", form, "--figure", "finality", code=0)
            self.assertEqual(once, read(self.path(f"report-finality.{form}")))
        self.call("report", "a.h5", "--format", "svg", code=0)
        for i in self.figures("a.h5"):
            xml.etree.ElementTree.parse(self.path(f"report-{i}.svg"))

    def test_no_gnuplot(self):
        self.run_smoke("a.h5")
        done = self.call("report", "a.h5", "--format", "png", "--figure", "roc", code=3,
                         env={"PATH": self.folder})
        self.assertIn("apt-get install gnuplot-nox", done.stderr)
        self.no_results("a.h5")

    def test_wrong_input(self):
        self.run_smoke("a.h5")
        os.mkdir(self.path("empty"))
        whole = read(self.path("a.h5"))
        for name, content, word in (("text.h5", "hello", "not a results file"),
                                    ("half.h5", whole[:len(whole) // 2], "damaged"),
                                    ("none", None, "No such file")):
            if content is not None:
                self.write(name, content)
            done = self.call("report", name, code=3)
            self.assertRegex(done.stderr, rf"^destrasim: error: {name}: .*{word}")
        self.assertIn("empty: a folder without study.h5 or tune.h5",
                      self.call("report", "empty", code=3).stderr)
        self.write("empty/study.yaml", "name: killed\n")
        self.assertIn("empty: its study has not ended",
                      self.call("report", "empty", code=3).stderr)
        os.symlink("a.h5", self.path("same.h5"))
        for output in ("a.h5", "same.h5"):
            done = self.call("report", "a.h5", "-o", output, code=2)
            self.assertIn(f"-o {output}: would overwrite the results", done.stderr)
        self.assertEqual(read(self.path("a.h5")), whole)
        for args, word in ((["a.h5", "--format", "gif"], "none of html, svg, png, pdf, csv"),
                           (["a.h5", "--format", "csv", "--figure", "finalty"],
                            "did you mean `finality`"),
                           (["a.h5", "--figure", "roc"], "--figure needs --format"), ([], "FILE")):
            self.assertIn(word, self.call("report", *args, code=2).stderr)
        done = self.call("report", "a.h5", "-o", "no/such/r.html", code=3)
        self.assertIn("no/such/r.html: cannot be written: No such file", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertFalse([n for n in os.listdir(self.folder) if n.startswith("report")])

    def test_interrupted_run_says_so(self):
        self.run_smoke("a.h5", "--until", "60 s")
        self.call("report", "a.h5", code=0)
        self.page("report.html")

    def test_a_page_holds_no_markup_of_its_data(self):
        text = read(scenario("smoke.yaml")).decode()
        title = "# <script>alert(1)</script> & \"quotes\"\n"
        os.mkdir(self.path("data"))
        shutil.copy(scenario("data/aws-regions.csv"), self.path("data/aws-regions.csv"))
        self.write("x.yaml", title + re.sub(r"\A#.*\n", "", text))
        self.call("run", "x.yaml", "-o", "x.h5", "--quiet", code=0)
        self.call("report", "x.h5", code=0)
        _, page = self.page("report.html")
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt;", page)
        self.assertNotIn("<script>alert(1)", page)


if __name__ == "__main__":
    cli.main()
