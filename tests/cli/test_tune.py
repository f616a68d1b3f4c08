"""`destrasim tune`: what it says, leaves and refuses; that jobs and interruptions do not show."""
import json
import os
import signal
import subprocess
import time
import unittest

import h5py

import cli
from cli import Case, read, scenario

STUDY = """# How often to ask, in a small world
name: small
scenario: %s
set: {duration: 3 epochs}
parameters:
  - {path: protocol.theta, range: [0, 0.6]}
  - {path: protocol.audit, range: [0.02, 0.5], scale: log}
design: {kind: sobol, points: 8}
replications: 2
objectives: [%s]
%s
tune: {runs: 30, start: 4, replications: 2, confirm: 8}
"""


class Tune(Case):
    def study(self, objective="minimise challenges_total", more=""):
        return self.write("study.yaml", STUDY % (scenario("smoke.yaml"), objective, more))

    def tune(self, *args, code=0, **more):
        done = self.call("tune", self.path("study.yaml"), "--quiet", *args, code=code, **more)
        return done

    def test_optimum(self):
        """Fewer audits, fewer challenges: the least is at the lower ends; everything is written."""
        self.study()
        out = json.loads(self.tune("-o", "d", "--json").stdout)
        self.assertTrue(out["feasible"] and out["confirmed"])
        self.assertLessEqual(out["runs"], 30)
        theta, audit = out["optimum"]
        self.assertEqual(theta["path"], "protocol.theta")
        for p in (theta, audit):
            self.assertLessEqual(p["lo"], p["value"])
            self.assertLessEqual(p["value"], p["hi"])
        self.assertLess(audit["value"], 0.1)
        confirmation = out["confirmation"]
        self.assertEqual(confirmation["runs"], 8)
        self.assertLessEqual(confirmation["lo"], confirmation["mean"])
        self.assertLessEqual(confirmation["mean"], confirmation["hi"])
        with h5py.File(self.path("d/tune.h5")) as f:
            value = f["value"][...]
            seed = f["seed"][...]
            self.assertEqual(value.shape[0], out["points"])
            names = [n.decode() if isinstance(n, bytes) else n for n in f["metric_name"][...]]
            column = names.index("challenges_total")
            # the confirmation: fresh seeds, at the optimum alone, with the mean that was said
            fresh = seed >= confirmation["seed"]
            self.assertEqual(int(fresh.sum()), 8)
            rows = [p for p in range(value.shape[0]) if (value[p, fresh, column] ==
                                                         value[p, fresh, column]).all()]
            self.assertEqual(len(rows), 1)
            self.assertAlmostEqual(value[rows[0], fresh, column].mean(), confirmation["mean"])
            self.assertAlmostEqual(f["x"][rows[0]][1], audit["value"])

    def test_optimum_runs(self):
        """optimum.yaml, elsewhere and with a seed of the confirmation, gives that run's number."""
        self.study()
        out = json.loads(self.tune("-o", "d", "--json").stdout)
        seed = out["confirmation"]["seed"]
        done = self.call("run", "d/optimum.yaml", "--set", f"seed={seed}", "-o", "x.h5", "--json",
                         "--quiet", code=0)
        self.assertIn("{", done.stdout)
        with h5py.File(self.path("x.h5")) as f, h5py.File(self.path("d/tune.h5")) as t:
            r = list(t["seed"][...]).index(seed)
            value = t["value"][:, r, 0]
            self.assertEqual(float(f["summary/challenges_total"][()]), float(value[value == value][0]))

    def test_jobs_and_resume(self):
        """One job, three, killed at any time: the same bytes, and nothing is run twice."""
        self.study()
        self.tune("-o", "one", "--jobs", "1")
        self.tune("-o", "three", "--jobs", "3")
        want = read(self.path("one/tune.h5"))
        self.assertEqual(want, read(self.path("three/tune.h5")))
        kills = 0
        for wait in (0.4, 0.9, 1.5, 2.5):
            process = subprocess.Popen(
                [cli.PROGRAM, "tune", self.path("study.yaml"), "-o", "dead", "--quiet", "--jobs",
                 "2", "--resume"], cwd=self.folder, stdout=subprocess.DEVNULL, start_new_session=True)
            time.sleep(wait)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            process.wait()
        self.assertGreater(kills, 0)
        with open(self.path("dead/tune.log"), "a", encoding="utf-8") as f:
            f.write("00000000deadbeef 1 1 ab")  # a line that was torn
        self.tune("-o", "dead", "--resume")
        self.assertEqual(want, read(self.path("dead/tune.h5")))
        self.assertEqual(read(self.path("one/optimum.yaml")), read(self.path("dead/optimum.yaml")))
        lines = read(self.path("dead/tune.log")).decode().splitlines()[1:]
        runs = [tuple(line.split()[:2]) for line in lines]
        self.assertEqual(len(runs), len(set(runs)))
        again = json.loads(self.tune("-o", "dead", "--resume", "--json").stdout)
        self.assertEqual(again["fresh_runs"], 0)
        self.assertEqual(again["runs"], len(runs))

    def test_constraint(self):
        """Nodes must be asked often enough: the optimum is on the near side of the border."""
        self.study(more="constraints: [challenges_total >= 30]")
        done = self.tune("-o", "d", "--json")
        out = json.loads(done.stdout)
        (constraint,) = out["constraints"]
        self.assertTrue(constraint["holds"])
        self.assertGreaterEqual(constraint["bound"], 30)

    def test_infeasible(self):
        """What cannot be met is named, with the nearest point; exit code 1."""
        self.study(more="constraints: [challenges_total >= 1000000, finality_latency.p50 < 1 h]")
        done = self.tune("-o", "d", code=1)
        self.assertIn("challenges_total >= 1000000", done.stdout)
        self.assertRegex(done.stdout, r"challenges_total >= 1000000 +cannot be met")
        self.assertRegex(done.stdout, r"finality_latency.p50 < 1 h +can be met")
        self.assertIn("the nearest point", done.stdout)
        self.assertIn("NOT an optimum", read(self.path("d/optimum.yaml")).decode())
        out = json.loads(self.tune("-o", "d", "--resume", "--json", code=1).stdout)
        self.assertFalse(out["feasible"])
        self.assertEqual(out["fresh_runs"], 0)

    def test_text(self):
        self.study()
        out = self.tune("-o", "d").stdout
        for words in ("the optimum", "confirmed by 8 runs", "own settings", "how sure",
                      "d/tune.h5", "--set 'protocol.theta="):
            self.assertIn(words, out)

    def test_refused(self):
        self.study()
        done = self.tune("-o", "d", "--runs", "9", code=2)
        self.assertIn("too few", done.stderr)
        self.tune("-o", "d")
        done = self.tune("-o", "d", code=2)
        self.assertIn("--resume", done.stderr)
        done = self.tune("-o", "d", "--resume", "--set", "set.duration='2 epochs'", code=2)
        self.assertIn("cannot be mixed", done.stderr)
        self.write("file", "")
        done = self.tune("-o", "file", code=3)
        self.assertIn("no folder that can be written to", done.stderr)
        self.write("d/tune.log", "nonsense\n")
        done = self.tune("-o", "d", "--resume", code=2)
        self.assertIn("no log", done.stderr)

    def test_failing_runs(self):
        """Where no run has data the search ends at once and says why."""
        self.study()
        done = self.tune("-o", "d", "--set", "set.duration=4000 epochs", "--cpu", "1 s", code=1)
        self.assertIn("no run of the first design", done.stdout)
        self.assertIn("runs have no data", done.stdout)


if __name__ == "__main__":
    cli.main()
