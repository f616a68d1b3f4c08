"""`destrasim trace`: the log and the diagram of a stretch of a run."""
import os
import re
import unittest
import xml.etree.ElementTree as ElementTree

import h5py

import cli
from cli import Case, read

SMALL = """# A crash, a partition, all in 15 seconds.
name: small
seed: 4
duration: 15 s
crypto: modelled
network: {regions: REGIONS}
nodes:
  - {name: val, role: validator, count: 5, bond: 2000 DSYNC}
  - {name: sto, role: service, service: storage, count: 3, bond: 1000 DSYNC}
  - {name: cli, role: client, count: 1, demand: {arrivals: poisson(1 /s)}}
faults:
  - {id: reboot, at: 3 s, kind: crash, nodes: 'val[1]', restart: 2 s, state: durable}
  - {id: cut, at: 7 s, for: 2 s, kind: partition, groups: [['val[2]'], [rest]]}
protocol: {epoch_blocks: 6, answer_heights: 12, abandon_heights: 60, audit: 0.9}
record: {slice: 1 s, trace: on}
"""
LINE = re.compile(r"^ *(\d+\.\d{9})  (\S+) +(.+)$")
SVG = "{http://www.w3.org/2000/svg}"


class Trace(Case):
    def setUp(self):
        super().setUp()
        regions = os.path.join(cli.SOURCE, "scenarios", "data", "aws-regions.csv")
        self.write("small.yaml", SMALL.replace("REGIONS", regions))
        self.call("run", "small.yaml", "-o", "x.h5", "--quiet", code=0)

    def trace(self, *args, code=0):
        return self.call("trace", "x.h5", "--quiet", *args, code=code)

    def lines(self, *args):
        text = self.trace("--limit", "0", *args).stdout
        lines = [LINE.match(line) for line in text.splitlines()]
        self.assertNotIn(None, lines, text[:2000])
        return [(round(float(m[1]) * 1e9), m[2], m[3]) for m in lines]

    def test_every_recorded_event_is_told_once(self):
        """What nodes received, and their timers, against /trace of the run itself."""
        told = [(t, n, "timer" if what.startswith("timer ") else "message")
                for t, n, what in self.lines("--from", "0 s", "--to", "15 s")
                if what.startswith(("from ", "timer "))]
        with h5py.File(self.path("x.h5")) as f:
            kinds = f["trace/kind"].attrs["flag_meanings"].split()
            names = f["node_name"].asstr()[:]
            messages = ("message", "body", "announce", "pull")
            want = [(t, names[n], "message" if kinds[k] in messages else kinds[k])
                    for t, n, k in zip(f["trace/time"][:], f["trace/node"][:], f["trace/kind"][:])
                    if kinds[k] in (*messages, "timer") and t < 15e9]
        self.assertGreater(len(want), 500)
        self.assertEqual(told, want)

    def test_in_the_terms_of_the_protocol(self):
        text = "\n".join(what for _, _, what in self.lines("--from", "0 s", "--to", "15 s"))
        h = "[0-9a-f]{8}"
        for form in (rf"from val\[\d\] after \d+\.\d+ ms: vote epoch \d+ round \d+ for block {h} "
                     rf"commits {h} by val\[\d\]",
                     rf"proposal height \d+ epoch \d+ round \d+ by val\[\d\], block {h} on {h}, "
                     r"\d+ transactions?",
                     rf"commit height \d+ epoch \d+ round \d+ by val\[\d\], block {h}",
                     r"timeout epoch \d+ round \d+, highest QC round \d+", r"timer round",
                     r"timed out in epoch \d+ round \d+", r"proposed height \d+ epoch",
                     r"challenge of height \d+, asking \d", r"answer to the challenge of height \d+",
                     r"tx heartbeat of height \d+, from sto\[\d\]",
                     r"tx verdict about sto\[\d\], challenge of height \d+, asking 1: pass, from val",
                     r"call \d+ of its user", r"entered epoch 1", r"restart",
                     r"will not arrive: \S+", r"dropped: it is down"):
            self.assertRegex(text, form)
        self.assertNotIn("does not decode", text)

    def test_commits_against_the_file(self):
        told = {}
        for t, node, what in self.lines("--from", "0 s", "--to", "15 s", "--kinds", "commit"):
            if node.startswith("val"):
                told.setdefault(int(re.match(r"commit height (\d+)", what)[1]), []).append(t)
        with h5py.File(self.path("x.h5")) as f:
            for height, first, last in zip(f["blocks/height"][:], f["blocks/committed_first"][:],
                                           f["blocks/committed_last"][:]):
                self.assertEqual(min(told[height]), round(first * 1e9))
                self.assertEqual(max(told[height]), round(last * 1e9))

    def test_what_is_sent_arrives_when_it_says(self):
        sent = self.lines("--node", "val[0]", "--node", "val[3]", "--from", "9 s", "--to", "12 s",
                          "--kinds", "vote")
        arrivals = 0
        for t, node, what in sent:
            m = re.match(r"from (\S+) after (\d+\.\d+) ms: (vote .+)", what)
            if m and m[1] in ("val[0]", "val[3]") and t - float(m[2]) * 1e6 >= 9e9:
                left = [x for x in sent if x[1] == m[1] and x[2].endswith(": " + m[3])
                        and node in x[2].split(":")[0] and abs(t - x[0] - float(m[2]) * 1e6) < 1000]
                self.assertEqual(len(left), 1, what)
                arrivals += 1
        self.assertGreater(arrivals, 0)

    def test_window_nodes_and_kinds(self):
        lines = self.lines("--node", "sto", "--from", "8 s", "--to", "11 s")
        self.assertTrue(all(8e9 <= t < 11e9 for t, _, _ in lines))
        self.assertTrue(all(n.startswith("sto") or n == "-" or "sto[" in what
                            for n, what in ((n, w) for _, n, w in lines)))
        times = [t for t, _, _ in lines]
        self.assertEqual(times, sorted(times))
        self.assertEqual({what.split()[0] for _, _, what in self.lines("--kinds", "timer")},
                         {"timer"})
        by_number = self.lines("--node", "6", "--from", "8 s", "--to", "11 s")
        self.assertEqual(by_number, self.lines("--node", "sto[1]", "--from", "8 s", "--to", "11 s"))

    def test_default_window(self):
        times = [t for t, _, _ in self.lines()]
        self.assertLess(max(times), 5e9)
        times = [t for t, _, _ in self.lines("--to", "12 s")]
        self.assertGreaterEqual(min(times), 7e9)
        self.assertLess(max(times), 12e9)

    def test_default_window_is_about_the_violation(self):
        mutants = os.environ.get("DESTRA_MUTANTS")
        if not mutants or not os.path.exists(mutants):
            self.skipTest("no program with mutants was built")
        done = self.call("run", "small.yaml", "-o", "x.h5", "--quiet", "--set",
                         "protocol.mutant=reward_twice", program=mutants, code=1)
        at = float(re.search(r"VIOLATED.* at (\d+\.\d+) s", done.stdout)[1]) * 1e9
        self.assertGreater(at, 5.1e9)
        text = self.call("trace", "x.h5", "--quiet", "--limit", "0", program=mutants, code=0).stdout
        times = [round(float(LINE.match(line)[1]) * 1e9) for line in text.splitlines()]
        self.assertGreaterEqual(min(times), at - 3.1e9)
        self.assertGreater(max(times), at)
        self.assertLess(max(times), at + 1.1e9)

    def test_a_violation_that_is_not_there(self):
        with h5py.File(self.path("x.h5"), "r+") as f:
            f["summary/violations"][()] = 1
        self.assertIn("finds none", self.trace().stderr)

    def test_threads_do_not_show(self):
        for args in (("--from", "2 s", "--to", "9 s"), ("--node", "val[2]", "-o", "x.svg")):
            one = self.trace(*args, "--threads", "1").stdout
            picture = read(self.path("x.svg")) if "-o" in args else b""
            self.assertGreater(len(one), 1000)
            self.assertEqual(one, self.trace(*args, "--threads", "3").stdout)
            if picture:
                self.assertEqual(picture, read(self.path("x.svg")))

    def test_limit(self):
        done = self.trace("--limit", "7")
        self.assertEqual(len(done.stdout.splitlines()), 7)
        self.assertRegex(done.stderr, r"\d+ further lines are left out")

    def picture(self, *args):
        done = self.trace("-o", "x.svg", *args)
        return ElementTree.parse(self.path("x.svg")).getroot(), done.stderr

    def test_picture(self):
        root, _ = self.picture("--node", "val", "--from", "2 s", "--to", "9 s")
        kinds = {}
        for e in root.iter():
            kinds.setdefault((e.tag.replace(SVG, ""), (e.get("class") or "").split(" ")[0]),
                             []).append(e)
        lanes = kinds["line", "lane"]
        names = [e.text for e in kinds["text", "ink"]] + [e.text for e in kinds["text", "soft"]]
        for name in ("val[0]", "val[4]", "commit, its height", "down", "fault", "vote", "proposal"):
            self.assertIn(name, names)
        self.assertGreaterEqual(len(lanes), 5)
        arrows = [e for e in kinds["path", "m"] if e.find(SVG + "title") is not None]
        self.assertGreater(len(arrows), 50)
        # one crash in the window, two faults, and a commit's dot for each line of the log
        self.assertEqual(len([e for e in kinds["rect", "down"] if e.find(SVG + "title") is not None]),
                         1)
        self.assertEqual(len([e for e in kinds["rect", "fault"]
                              if e.find(SVG + "title") is not None]), 2)
        commits = [w for _, _, w in self.lines("--node", "val", "--from", "2 s", "--to", "9 s",
                                               "--kinds", "commit")]
        self.assertEqual(len([e for e in kinds["circle", "commit"]
                              if e.find(SVG + "title") is not None]), len(commits))
        for e in arrows:  # time runs down, within the picture
            m = re.match(r"M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)", e.get("d"))
            self.assertLessEqual(float(m[2]), float(m[4]))
            self.assertLessEqual(float(m[4]), float(root.get("height")))
            self.assertLessEqual(float(m[3]), float(root.get("width")))
        style = root.find(SVG + "style").text
        self.assertIn("prefers-color-scheme:dark", style)
        # the first commit of each height in the picture says which it is
        heights = {int(re.match(r"commit height (\d+)", w)[1]) for w in commits}
        told = {int(n) for n in names if re.fullmatch(r"\d+", n)}
        self.assertTrue(told and told <= heights, (told, heights))
        self.assertIn(max(heights), told)

    def test_the_violation_is_told_and_drawn(self):
        mutants = os.environ.get("DESTRA_MUTANTS")
        if not mutants or not os.path.exists(mutants):
            self.skipTest("no program with mutants was built")
        self.call("run", "small.yaml", "-o", "x.h5", "--quiet", "--set",
                  "protocol.mutant=reward_twice", program=mutants, code=1)
        text = self.call("trace", "x.h5", "--quiet", "--limit", "0", "-o", "x.svg",
                         program=mutants, code=0).stdout
        told = [LINE.match(line) for line in text.splitlines() if "VIOLATED" in line]
        self.assertEqual(len(told), 1)
        self.assertRegex(told[0][3], r"^VIOLATED money: ")
        times = [round(float(LINE.match(line)[1]) * 1e9) for line in text.splitlines()]
        self.assertEqual(times, sorted(times))
        root = ElementTree.parse(self.path("x.svg")).getroot()
        bad = [e for e in root.iter(SVG + "path") if e.get("class") == "bad"
               and e.find(SVG + "title") is not None]
        self.assertEqual([e.find(SVG + "title").text for e in bad], [told[0][3]])

    def test_a_pause_is_not_a_node_that_comes_up(self):
        regions = os.path.join(cli.SOURCE, "scenarios", "data", "aws-regions.csv")
        self.write("pause.yaml", SMALL.replace("REGIONS", regions).replace(
            "kind: crash, nodes: 'val[1]', restart: 2 s, state: durable",
            "for: 2 s, kind: pause, nodes: 'val[1]'"))
        self.call("run", "pause.yaml", "-o", "x.h5", "--quiet", code=0)
        told = [w for _, _, w in self.lines("--from", "0 s", "--to", "15 s", "--kinds", "fault")]
        self.assertIn("fault pause begins: reboot", told)
        self.assertNotIn("is up again", told)

    def test_a_time_in_which_nothing_happens(self):
        done = self.trace("--from", "20 s")
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"nothing happens after 1[45]\S* s, and --from is 20 s")

    def test_a_crash_that_began_before_is_there(self):
        root, _ = self.picture("--node", "val[1]", "--from", "4 s", "--to", "6 s")
        down = [e for e in root.iter(SVG + "rect") if e.get("class") == "down"
                and e.find(SVG + "title") is not None]
        self.assertEqual(len(down), 1)
        faults = [e.find(SVG + "title").text for e in root.iter(SVG + "rect")
                  if e.get("class") == "fault" and e.find(SVG + "title") is not None]
        self.assertEqual(len(faults), 1)
        self.assertIn("reboot", faults[0])

    def test_many_messages_are_thinned_and_it_is_said(self):
        regions = os.path.join(cli.SOURCE, "scenarios", "data", "aws-regions.csv")
        self.write("big.yaml", SMALL.replace("REGIONS", regions).replace("count: 5", "count: 40"))
        self.call("run", "big.yaml", "-o", "x.h5", "--quiet", code=0)
        root, said = self.picture("--node", "val", "--from", "0 s", "--to", "15 s")
        arrows = [e for e in root.iter(SVG + "path") if e.find(SVG + "title") is not None
                  and (e.get("class") or "").startswith("m ")]
        self.assertLessEqual(len(arrows), 4008)
        self.assertGreater(len(arrows), 1000)
        self.assertRegex(said, r"one of \d+ messages of each kind")

    def test_refusals(self):
        for args, words in ((("--node", "val[5]"), "no node `val[5]`"),
                            (("--node", "nobody"), "no node `nobody`"),
                            (("--kinds", "vote,vows"), "no `vows`"),
                            (("--from", "5 parsecs"), "--from"),
                            (("--from", "5 s", "--to", "5 s"), "later than"),
                            (("--kinds", ""), "--kinds wants a list"),
                            (("-o", "x.png"), "name it x.svg"),
                            (("--limit", "-1"), "--limit")):
            done = self.trace(*args, code=2)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertIn("could not be written", self.trace("-o", "no/x.svg", code=3).stderr)


if __name__ == "__main__":
    cli.main()
