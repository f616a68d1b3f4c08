"""`compare` and `select` as a user calls them."""
import json
import os
import re
import shutil
import stat
import unittest
import xml.etree.ElementTree as ElementTree

import h5py

import cli


def tiny():
    """Two epochs of smoke.yaml without its faults: latencies that hardly vary, in 0.15 s."""
    text = cli.read(cli.scenario("smoke.yaml")).decode()
    text = text.replace("duration: 5 epochs", "duration: 2 epochs")
    text = text.replace("data/", cli.scenario("data/"))
    text = re.sub(r"\nfaults:.*?\n\n", "\n\n", text, flags=re.S)
    return re.sub(r"\n  - {name: (mute|twin),[^\n]*", "", text)


class Compare(cli.Case):
    def setUp(self):
        super().setUp()
        self.scenario = self.write("tiny.yaml", tiny())

    def compare(self, *args, code=0):
        return self.call("compare", *args, "--quiet", code=code)

    def json(self, *args, code=0):
        return json.loads(self.compare(*args, "--json", code=code).stdout)

    def make(self, folder, seeds, *args):
        os.makedirs(self.path(folder), exist_ok=True)
        for seed in seeds:
            self.call("run", self.scenario, "--quiet", "--seed", str(seed), "-o",
                      f"{folder}/{seed}.h5", *args, code=0)

    @staticmethod
    def of(found, metric):
        return next(c for c in found["changes"] if c["metric"] == metric)

    def test_the_same_seeds_of_one_build_are_the_same(self):
        self.make("a", range(1, 4))
        shutil.copytree(self.path("a"), self.path("b"))
        found = self.json("a", "b")
        self.assertTrue(found["paired"])
        self.assertEqual({c["verdict"] for c in found["changes"]}, {"same"})
        self.assertIn("no change", self.compare("a", "b").stdout)
        ran = self.json(self.scenario, "a", "--replications", "3")
        self.assertEqual({c["verdict"] for c in ran["changes"]}, {"same"})
        with h5py.File(self.path("a/2.h5")) as f:
            names = {n for n in f["summary"]}
        self.assertGreater(len({c["metric"] for c in found["changes"]} & names), 100)
        self.assertIn("finality_latency.p50", {c["metric"] for c in found["changes"]})

    def test_a_slower_network_is_worse(self):
        found = self.json(self.scenario, "--set-b", "network.host_delay=80 ms", "--replications",
                          "8", "--gate", "finality_latency.p50", "--junit", "out.xml", code=1)
        latency = self.of(found, "finality_latency.p50")
        self.assertEqual((latency["verdict"], latency["gate"], latency["fails"]),
                         ("worse", True, True))
        self.assertGreater(latency["relative_lo"], 0)
        self.assertEqual(latency["p"], 2 / 256)
        self.assertEqual(found["gate"]["failed"], 1)
        tree = ElementTree.parse(self.path("out.xml")).getroot()
        self.assertEqual((tree.get("tests"), tree.get("failures")), ("2", "1"))
        self.assertEqual(self.no_h5(), [])

    def no_h5(self):
        return [f for f in os.listdir(self.folder) if f.endswith(".h5")]

    def test_other_seeds_are_independent(self):
        self.make("a", range(1, 6))
        self.make("b", range(11, 16))
        found = self.json("a", "b")
        self.assertFalse(found["paired"])
        self.assertEqual((found["units_a"], found["units_b"], found["rearrangements"]), (5, 5, 252))
        self.assertTrue(found["exact"])
        again = self.compare("a", "b", "--json").stdout
        self.assertEqual(json.loads(again), found)

    def test_another_program(self):
        """Side B by a program that is slower, and by one that fails."""
        slow = self.write("slow", f"#!/bin/sh\nexec '{cli.PROGRAM}' \"$@\" --set "
                                  "'network.host_delay=80 ms'\n")
        os.chmod(slow, os.stat(slow).st_mode | stat.S_IXUSR)
        found = self.json(self.scenario, "--with", slow, "--replications", "8", "--jobs", "2",
                          code=1)
        self.assertEqual(self.of(found, "finality_latency.p50")["verdict"], "worse")
        self.assertEqual(found["b"]["program"], slow)
        bad = self.write("bad", "#!/bin/sh\nfor a; do [ \"$a\" = 2 ] && { echo boom >&2; exit 3; }; "
                                f"done\nexec '{cli.PROGRAM}' \"$@\"\n")
        os.chmod(bad, os.stat(bad).st_mode | stat.S_IXUSR)
        done = self.compare(self.scenario, "--with", bad, "--replications", "3", "--json", code=1)
        found = json.loads(done.stdout)
        self.assertIn("seed 2", done.stderr)
        self.assertEqual(found["b"]["failed"], [{"seed": 2, "point": "", "why": "boom"}])
        self.assertTrue(found["gate"]["more_runs_failed"])

    def test_too_few_and_usage(self):
        self.make("a", [1, 2])
        self.make("b", [1, 2], "--set", "network.host_delay=80 ms")
        done = self.compare("a", "b", code=2)
        self.assertIn("too few runs", done.stdout)
        self.assertRegex(done.stderr, "2 pairs cannot show a change .* 8 are needed")
        self.assertEqual(self.json("a", "b", "--level", "0.5", code=1)["units_a"], 2)
        for args, word in [(["a"], "with what"), (["a", "nowhere"], "nowhere"),
                           (["a", "b", "--metric", "los"], "los"),
                           (["a", "b", "--gate", "los"], "los"),
                           (["a", "b", "--margin", "much"], "much"),
                           (["a", "b", "--level", "2"], "--level"),
                           (["a", "b", "--with", "x"], "--with"),
                           ([self.scenario, "--with", "x"], "x")]:
            done = self.call("compare", *args)
            self.assertIn(done.returncode, (2, 3), args)
            self.assertIn(word, done.stderr)
        os.mkdir(self.path("empty"))
        self.assertIn("empty", self.compare("a", "empty", code=2).stderr)
        shutil.copy(self.path("a/1.h5"), self.path("a/3.h5"))
        self.assertIn("seed 1", self.compare("a", "b", code=2).stderr)
        self.make("a", [3], "--set", "protocol.audit=0.9")
        self.assertIn("another scenario", self.compare("a", "b", code=2).stderr)

    def test_two_sweeps(self):
        """Their folders, and their study.h5: point by point, a false alarm at none."""
        self.write("study.yaml", "name: s\nscenario: tiny.yaml\nreplications: 8\nparameters:\n"
                                 "  - {path: protocol.theta, values: [0.2, 0.3]}\n")
        self.call("sweep", "study.yaml", "-o", "a", "--quiet", code=0)
        self.call("sweep", "study.yaml", "-o", "b", "--quiet", "--set",
                  "set.network.host_delay=80 ms", code=0)
        found = self.json("a", "b", "--gate", "finality_latency.p50", code=1)
        self.assertEqual((found["paired"], found["units_a"], found["gate"]["failed"]), (True, 8, 2))
        slower = [c for c in found["changes"] if c["metric"] == "finality_latency.p50"]
        self.assertEqual({(c["point"], c["verdict"]) for c in slower},
                         {("protocol.theta=0.2", "worse"), ("protocol.theta=0.3", "worse")})
        with h5py.File(self.path("a/study.h5")) as a, h5py.File(self.path("b/study.h5")) as b:
            at = [n.decode() for n in a["metric_name"][()]].index("finality_latency.p50")
            means = sorted((a["value"][p, :, at].mean(), b["value"][p, :, at].mean())
                           for p in range(2))
        for c, (a, b) in zip(sorted(slower, key=lambda c: c["a"]), means):
            self.assertAlmostEqual(c["a"], a, 9)
            self.assertAlmostEqual(c["b"], b, 9)
        files = self.json("a/study.h5", "b/study.h5", "--gate", "finality_latency.p50", code=1)
        self.assertEqual(files["changes"], found["changes"])
        self.assertEqual({c["verdict"] for c in self.json("a", "a")["changes"]}, {"same"})
        self.make("runs", [1, 2])
        self.assertIn("in common", self.compare("a", "runs", code=2).stderr)

    def test_table(self):
        self.make("a", range(1, 9))
        self.make("b", range(1, 9), "--set", "network.host_delay=80 ms")
        text = self.compare("a", "b", "--limit", "2", code=1).stdout
        self.assertIn("8 pairs by seed", text)
        self.assertRegex(text, r"_latency\.\w+ .* worse  <- fails the gate")
        self.assertRegex(text, r"and \d+ more")
        self.assertRegex(text, r"Gate +FAILS")
        # the same within a margin
        gate = ["--gate", "finality_latency.p50,finality_latency.p95"]
        found = self.json("a", "b", *gate, "--margin", "1 %", code=1)
        self.assertGreater(self.of(found, "finality_latency.p50")["relative"], 0.05)
        found = self.json("a", "b", *gate, "--margin", "1 %", "--margin",
                          "finality_latency.p50=90 %", "--margin", "finality_latency.p95=90 %")
        self.assertEqual((found["gate"]["failed"], found["gate"]["metrics"]), (0, 2))
        self.assertEqual(self.of(found, "finality_latency.p50")["verdict"], "worse")


class Select(cli.Case):
    STUDY = """name: pick
scenario: tiny.yaml
parameters:
  - {path: network.host_delay, values: [1 ms, 60 ms, 120 ms]}
replications: 5
objectives: [minimise finality_latency.p50]
"""

    def setUp(self):
        super().setUp()
        self.write("tiny.yaml", tiny())
        self.study = self.write("pick.yaml", self.STUDY)

    def test_the_fastest(self):
        one = self.call("select", self.study, "--delta", "0.05", "--first", "5", "--jobs", "1",
                        "--quiet", "--json", code=0).stdout
        found = json.loads(one)
        self.assertEqual((found["winner"], found["decided"]), (0, True))
        self.assertEqual(found["points"][0]["fate"], "left")
        self.assertGreater(found["points"][0]["probability"], 0.99)
        self.assertLessEqual(found["runs"], found["equally"])
        two = self.call("select", self.study, "--delta", "0.05", "--first", "5", "--jobs", "2",
                        "--quiet", "--json", code=0).stdout
        self.assertEqual(one, two)
        text = self.call("select", self.study, "--first", "5", "--quiet", code=0).stdout
        self.assertRegex(text, r"Best +point 0: host_delay=1 ms")

    def test_usage(self):
        self.assertIn("--alpha", self.call("select", self.study, "--alpha", "2", code=2).stderr)
        self.write("none.yaml", re.sub("objectives.*\n", "", self.STUDY))
        self.assertIn("objective", self.call("select", "none.yaml", code=2).stderr)


if __name__ == "__main__":
    cli.main()
