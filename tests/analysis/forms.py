"""The forms of figures, and a page of them, as others read them.

    forms.py TEST_FIGURE TEST_PAGE

Every form is made by the tests' programs (tests/analysis/figures.h).  SVG must be well-formed XML
with its texts inside the picture; CSV, gnuplot, Chart.js and the drawing must hold the same numbers;
a page must be well nested, ask for nothing from outside, and let only its own script run.
"""
import base64
import csv
import hashlib
import html.parser
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import xml.etree.ElementTree as ET

FIGURE = PAGE = ""
SVG = "{http://www.w3.org/2000/svg}"
IDS = ["theta-loss", "sobol", "front", "roc", "faults", "heat", "why", "map", "many", "odd", "one"]
CHARTS = ["theta-loss", "sobol", "front", "roc", "odd", "one"]
NAMES = {"sobol": ("x", ["protocol.theta", "protocol.slash_first", "protocol.audit",
                         "adversaries.cheat.share"])}
VOID = {"meta", "link", "br", "rect", "path", "circle", "line"}


def number(text):
    return math.nan if text in ("", "NaN") else float(text)


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or a == b


class Forms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="destrasim-forms-")
        cls.folder = cls.holder.name
        subprocess.run([FIGURE, cls.folder], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def read(self, name, folder=None):
        with open(os.path.join(folder or self.folder, name), encoding="utf-8", newline="") as f:
            return f.read()

    def rows(self, name):
        with open(os.path.join(self.folder, name + ".csv"), "rb") as f:
            text = f.read().decode("utf-8", "replace")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        self.assertEqual({len(r) for r in rows}, {len(rows[0])})
        return rows[0], rows[1:]

    def blocks(self, name):
        text = self.read(name + ".gp")
        return [[line.split("\t") for line in body.split("\n")[:-1]] for body in
                re.findall(r"^\$data\d+ << END\n(.*?)^END$", text, re.M | re.S)]

    def test_svg(self):
        for name in IDS:
            root = ET.fromstring(self.read(name + ".svg"))
            box = [float(v) for v in root.get("viewBox").split()]
            self.assertEqual(box[:3], [0, 0, 720])
            self.assertTrue(root.find(SVG + "title").text)
            ids = [e.get("id") for e in root.iter() if e.get("id")]
            self.assertEqual(len(ids), len(set(ids)))
            self.assertFalse(list(root.iter(SVG + "script")))
            for e in root.iter(SVG + "text"):
                at = e.get("transform") or f"({e.get('x')} {e.get('y')})"
                x, y = map(float, re.search(r"\(([-\d.]+) ([-\d.]+)\)", at).groups())
                self.assertTrue(0 <= x <= 720 and 0 <= y <= box[3], (name, e.text))
            self.assertNotRegex(self.read(name + ".svg"), r"[\"\s(,](nan|inf)|-?1000000?\b")

    def test_numbers_agree(self):
        """CSV against gnuplot's blocks, and against Chart.js."""
        keys = ["x", "y", "x end", "y end", "lo", "hi", "size", "shade"]
        for name in IDS:
            head, rows = self.rows(name)
            self.assertGreater(len(rows), 0)
            blocks = [row for b in self.blocks(name) for row in b[:-1]]
            self.assertEqual(len(rows), len(blocks))
            compared = 0
            for c, key in enumerate(keys):
                at = [i for i, h in enumerate(head) if re.match(re.escape(key) + r"( \(|$)", h)]
                if key == "shade" and name in ("heat", "why"):
                    at = [3]
                if key in ("x", "y") and not at:
                    at = [1] if key == "x" else [2 + ("x end" in " ".join(head))]
                for row, block in zip(rows, blocks):
                    if at and re.fullmatch(r"-?[\d.]+(e-?\d+)?", row[at[0]]):
                        self.assertEqual(float(row[at[0]]), number(block[c]), (name, key))
                        compared += 1
            self.assertGreater(compared, 0 if name == "odd" else len(rows) // 2, name)

    def test_chart_agrees(self):
        for name in CHARTS:
            chart = json.loads(self.read(name + ".json"))
            head, rows = self.rows(name)
            names = chart["da"]["x"].get("names")
            points = [(d["label"], p) for d in chart["data"]["datasets"] if not d.get("band")
                      for p in d["data"]]
            rows = [r for r in rows if r[1] not in ("", "inf", "-inf")]
            self.assertEqual(len(points), len(rows))
            lo = head.index(next((h for h in head if re.match(r"lo\b", h)), "series"))
            for (label, p), row in zip(points, rows):
                self.assertEqual(label.replace("\x01", ""), row[0].replace("\x01", ""))
                self.assertEqual(names[p["x"]] if names else p["x"],
                                 row[1] if names else float(row[1]))
                y = number(row[2])
                self.assertTrue(p["y"] == y or (p["y"] is None and not math.isfinite(y)))
                if "lo" in p and math.isfinite(number(row[lo])):
                    self.assertEqual((p["lo"], p["hi"]), (number(row[lo]), number(row[lo + 1])))
        for name in set(IDS) - set(CHARTS):
            self.assertFalse(os.path.exists(os.path.join(self.folder, name + ".json")))

    def ticks(self, root, anchor):
        """Positions of ticks by their texts: x from those in the middle, y from those at the end."""
        found = []
        for e in root.iter(SVG + "text"):
            if e.get("text-anchor") == anchor and re.fullmatch(r"-?[\d.]+", e.text or ""):
                found.append((float(e.text), float(e.get("x" if anchor == "middle" else "y")) -
                              (0 if anchor == "middle" else 6.5)))
        return found

    def test_drawing_agrees(self):
        """Read the curve back from its path by the axes' own ticks."""
        root = ET.fromstring(self.read("theta-loss.svg"))
        (x1, px1), *_, (x2, px2) = self.ticks(root, "middle")
        (y1, py1), *_, (y2, py2) = self.ticks(root, "end")
        _, rows = self.rows("theta-loss")
        path = next(e for e in root.iter(SVG + "path")
                    if e.get("stroke") == "#0072b2" and e.get("d").count("L") > 3)
        drawn = re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get("d"))
        wanted = [(float(r[1]), float(r[2])) for r in rows if r[0].startswith("theta rule")]
        self.assertEqual(len(drawn), len(wanted))
        for (px, py), (x, y) in zip(drawn, wanted):
            self.assertAlmostEqual(float(px), px1 + math.log(x / x1) / math.log(x2 / x1) * (px2 - px1),
                                   delta=0.2)
            self.assertAlmostEqual(float(py), py1 + (y - y1) / (y2 - y1) * (py2 - py1), delta=0.2)
        self.assertIn("theta rule, audit 5 %",
                      "".join(e.text or "" for e in root.iter(SVG + "text")))
        heat = self.read("heat.svg")
        for row in self.rows("heat")[1]:
            if row[3]:
                self.assertIn(f"theta {row[1]}, audit rate {row[2]} %, loss {row[3]} %", heat)

    def test_locale(self):
        """A locale with decimal commas changes no byte."""
        if shutil.which("localedef") is None:
            self.skipTest("no localedef")
        with tempfile.TemporaryDirectory(prefix="destrasim-locale-") as folder:
            made = subprocess.run(["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8",
                                   os.path.join(folder, "de_DE.UTF-8")], capture_output=True)
            if not os.path.exists(os.path.join(folder, "de_DE.UTF-8", "LC_NUMERIC")):
                self.skipTest("no source of locales: " + made.stderr.decode())
            other = os.path.join(folder, "forms")
            os.mkdir(other)
            env = {**os.environ, "LOCPATH": folder, "LC_ALL": "de_DE.UTF-8"}
            comma = subprocess.run(["locale", "decimal_point"], env=env, capture_output=True).stdout
            self.assertEqual(comma, b",\n")
            subprocess.run([FIGURE, other], check=True, env=env)
            for name in sorted(os.listdir(self.folder)):
                with open(os.path.join(self.folder, name), "rb") as a, \
                        open(os.path.join(other, name), "rb") as b:
                    self.assertEqual(a.read(), b.read(), name)

    def test_gnuplot(self):
        if shutil.which("gnuplot") is None:
            self.skipTest("no gnuplot")
        with tempfile.TemporaryDirectory(prefix="destrasim-gnuplot-") as folder:
            for name in IDS:
                done = subprocess.run(["gnuplot", os.path.join(self.folder, name + ".gp")],
                                      cwd=folder, capture_output=True, text=True, check=False)
                errors = [line for line in done.stderr.splitlines()
                          if line and "no valid points" not in line]
                self.assertEqual((done.returncode, errors), (0, []), name)
                root = ET.fromstring(self.read("out.svg", folder))
                self.assertGreater(len(list(root.iter(SVG + "path"))), 3)
                if name != "odd":  # what was wrong with it was not run
                    self.assertGreater(len(self.read("out.svg", folder)), 4000)


class Reader(html.parser.HTMLParser):
    """Nesting, ids, addresses and scripts of a page."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.ids, self.links, self.scripts, self.styles = [], [], [], [], []
        self.policy, self.active = "", []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID or self.get_starttag_text().endswith(">") and tag in ("path", "circle",
                                                                              "rect", "line"):
            self.stack.append(tag)
        self.note(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        self.note(tag, dict(attrs))

    def note(self, tag, attrs):
        if "id" in attrs:
            self.ids.append(attrs["id"])
        for name, value in attrs.items():
            if name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href"):
                self.links.append((tag, value))
            if name.startswith("on") or name == "style":
                self.active.append((tag, name))
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]
        if tag == "script":
            self.scripts.append([attrs.get("type"), ""])
        if tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            raise AssertionError(f"</{tag}> at {self.getpos()} closes nothing")

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "script":
            self.scripts[-1][1] += data
        if self.stack and self.stack[-1] == "style":
            self.styles[-1] += data


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="destrasim-page-")
        path = os.path.join(cls.holder.name, "page.html")
        subprocess.run([PAGE, path], check=True)
        subprocess.run([FIGURE, cls.holder.name], check=True)
        with open(path, encoding="utf-8", newline="") as f:
            cls.text = f.read()
        cls.page = Reader()
        cls.page.feed(cls.text)
        cls.page.close()

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def test_nested(self):
        self.assertEqual(self.page.stack, [])
        self.assertEqual(len(self.page.ids), len(set(self.page.ids)))
        self.assertTrue(self.text.startswith("<!DOCTYPE html>\n<html lang=\"en\">"))

    def test_nothing_from_outside(self):
        for tag, link in self.page.links:
            self.assertTrue(link.startswith(("data:", "#")), (tag, link[:80]))
            if link.startswith("#"):
                self.assertIn(link[1:], self.page.ids)
        self.assertEqual(self.page.active, [])
        self.assertNotIn("@import", self.page.styles[0])
        self.assertNotIn("url(", self.page.styles[0])

    def test_policy(self):
        """Exactly the page's own scripts and style may run: their hashes stand in the policy."""
        def digest(text):
            return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        policy = dict(p.strip().split(" ", 1) for p in self.page.policy.split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        self.assertEqual(policy["style-src"], digest(self.page.styles[0]))
        run = [text for kind, text in self.page.scripts if kind is None]
        self.assertEqual(policy.get("script-src", "").split(), [digest(t) for t in run])

    def test_charts(self):
        charts = [json.loads(text) for kind, text in self.page.scripts if kind == "application/json"]
        if len(self.page.scripts) == 0:
            self.skipTest("built without Chart.js")
        self.assertEqual(len(charts), len(CHARTS))
        for chart, name in zip(charts, CHARTS):
            with open(os.path.join(self.holder.name, name + ".json"), encoding="utf-8") as f:
                self.assertEqual(chart, json.load(f))

    def test_downloads(self):
        """A figure's link holds its CSV, byte for byte."""
        links = [link for tag, link in self.page.links if link.startswith("data:text/csv")]
        self.assertEqual(len(links), len(IDS))
        for link, name in zip(links, IDS):
            with open(os.path.join(self.holder.name, name + ".csv"), "rb") as f:
                self.assertEqual(urllib.parse.unquote_to_bytes(link.split(",", 1)[1]), f.read())


if __name__ == "__main__":
    FIGURE, PAGE = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
