"""`run --junit FILE`: the XML of every way a run can end; and what --json says of invariants."""
import json
import os
import signal
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import cli  # noqa: E402
from cli import Case, scenario  # noqa: E402

INVARIANTS = ["agreement", "prefix", "certificates", "votes", "execution", "money", "slashing",
              "accountable", "challenges", "messages", "bounds", "liveness"]


class Junit(Case):
    def xml(self):
        """Cases by (group, name): (tag, message); and properties.  Counts must be right."""
        suite = ElementTree.parse(self.path("j.xml")).getroot().find("testsuite")
        cases = {}
        for case in suite.findall("testcase"):
            children = list(case)
            self.assertLessEqual(len(children), 1)
            key = (case.get("classname").rsplit(".", 1)[1], case.get("name"))
            self.assertNotIn(key, cases)
            cases[key] = (children[0].tag, children[0].get("message")) if children else None
        for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            self.assertEqual(int(suite.get(count)),
                             sum(1 for c in cases.values() if c is not None and c[0] == tag))
        self.assertEqual(int(suite.get("tests")), len(cases))
        return cases, {p.get("name"): p.get("value") for p in suite.iter("property")}

    def run_it(self, *more, code):
        return self.call("run", scenario("smoke.yaml"), "-o", "o.h5", "--junit", "j.xml", "--quiet",
                         *more, code=code)

    def test_fine(self):
        self.run_it(code=0)
        cases, properties = self.xml()
        self.assertTrue(all(c is None for c in cases.values()))
        self.assertEqual([n for g, n in cases if g == "invariants"], INVARIANTS)
        self.assertIn(("run", "run"), cases)
        self.assertIn(("expect", "halted == 0"), cases)
        self.assertEqual((properties["seed"], properties["end"]), ("1", "done"))
        self.assertEqual(len(properties["trace_digest"]), 32)

    def test_expectations(self):
        done = self.run_it("--set", "expect=[safety, 'blocks_final < 3']", "--set",
                           "sometimes=['rounds_timed_out > 0', 'messages_replayed > 7']", "--json",
                           code=1)
        cases, _ = self.xml()
        self.assertIsNone(cases[("expect", "safety")])
        self.assertIsNone(cases[("sometimes", "rounds_timed_out > 0")])
        tag, message = cases[("expect", "blocks_final < 3")]
        self.assertEqual(tag, "failure")
        self.assertRegex(message, r"^does not hold: it is \d+$")
        self.assertEqual(cases[("sometimes", "messages_replayed > 7")],
                         ("failure", "did not occur: it is 0"))
        told = json.loads(done.stdout)
        self.assertEqual([i["name"] for i in told["invariants"]], INVARIANTS)
        self.assertTrue(all(i["violations"] == 0 for i in told["invariants"]))
        self.assertIsNone(told["invariant"])
        self.assertEqual([s["held"] for s in told["sometimes"]], [True, False])

    def test_violated(self):
        """Two of ten validators are no quorum: nothing becomes final after the healing."""
        done = self.run_it("--set", "heal={at: 20 s, quorum: 'val[0..1]', within: 10 s}", "--set",
                           "duration=40 s", "--set", "expect=[]", "--json", code=1)
        cases, _ = self.xml()
        self.assertEqual(cases[("invariants", "liveness")], ("failure", "violated 1 time"))
        self.assertEqual(sum(c is not None for c in cases.values()), 1)
        told = json.loads(done.stdout)
        self.assertEqual((told["invariant"], told["violation_seconds"]), ("liveness", 30))
        with open(self.path("j.xml"), encoding="utf-8") as f:
            self.assertIn("at 30.000000 s: liveness:", f.read())

    def test_interrupted(self):
        process = subprocess.Popen(
            [cli.PROGRAM, "run", scenario("smoke.yaml"), "-o", "o.h5", "--junit", "j.xml", "--quiet",
             "--set", "duration=100000 epochs", "--set", "max_time=8700 h"],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(self.path("o.h5.partial")):
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143)
        cases, properties = self.xml()
        self.assertEqual(cases[("run", "run")][0], "error")
        self.assertEqual(cases[("expect", "safety")][0], "skipped")
        self.assertIsNone(cases[("invariants", "agreement")])
        self.assertEqual(properties["end"], "interrupted")

    def test_refused(self):
        with open(self.path("j.xml"), "w", encoding="utf-8") as f:
            f.write("of an earlier run")
        self.run_it("--set", "seed=nonsense", code=2)
        cases, properties = self.xml()
        self.assertEqual(cases[("run", "run")][0], "error")
        self.assertEqual((len(cases), properties["end"]), (1, "failed"))
        done = self.call("run", scenario("smoke.yaml"), "-o", "o.h5", "--junit", "o.h5", code=2)
        self.assertIn("name another file for --junit", done.stderr)
        self.assertFalse(os.path.exists(self.path("o.h5")))
        done = self.call("run", scenario("smoke.yaml"), "--junit", "nowhere/j.xml", code=2)
        self.assertIn("mkdir -p", done.stderr)


if __name__ == "__main__":
    cli.main()
