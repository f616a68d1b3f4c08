"""`destrasim diff`: parameters, files, builds, digests, the first event, metrics."""
import json
import os
import re
import shutil
import unittest

import h5py
import numpy as np

import cli
from cli import Case, read

SMALL = """# Two kinds of nodes, two faults.
name: small
seed: 4
duration: 12 s
crypto: modelled
network: {regions: REGIONS}
nodes:
  - {name: val, role: validator, count: 5, bond: 2000 DSYNC}
  - {name: sto, role: service, service: storage, count: 3, bond: 1000 DSYNC}
faults:
  - {id: slow, at: 3 s, for: 2 s, kind: slow_cpu, nodes: 'val[1]', factor: 50}
  - {id: cut, at: 7 s, for: 1 s, kind: partition, groups: [['val[2]'], [rest]]}
record: {slice: 1 s}
"""


class Diff(Case):
    def run_small(self, out, *args, text=SMALL):
        regions = os.path.join(cli.SOURCE, "scenarios", "data", "aws-regions.csv")
        self.write("small.yaml", text.replace("REGIONS", regions))
        self.call("run", "small.yaml", "-o", out, "--quiet", *args)

    def diff(self, *args, code=1):
        return self.call("diff", "a.h5", "b.h5", "--quiet", *args, code=code).stdout

    def json(self, *args, code=1):
        return json.loads(self.diff("--json", *args, code=code))

    def test_the_same(self):
        self.run_small("a.h5", "--threads", "1")
        self.run_small("b.h5", "--threads", "3")
        self.assertIn("are the same", self.diff(code=0))
        found = self.json(code=0)
        self.assertIs(found["same"], True)
        self.assertEqual(found["a"]["trace_digest"], found["b"]["trace_digest"])
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.h5", "b.h5", "small.yaml"])

    def test_parameters_by_path(self):
        self.run_small("a.h5")
        text = SMALL.replace("count: 3", "count: 4").replace("at: 7 s", "at: 8 s")
        text = text.replace("id: slow, ", "id: slower, ").replace("factor: 50", "factor: 60")
        text = text.replace("record:", "  - {id: third, at: 9 s, for: 1 s, kind: slow_cpu, nodes: "
                            "'val[3]', factor: 2}\nexpect: [safety]\nrecord:")
        self.run_small("b.h5", "--set", "protocol.theta=0.4", text=text)
        found = {d["path"]: (d["a"], d["b"]) for d in self.json("--no-run")["parameters"]}
        third = found.pop("faults.third")
        self.assertIsNone(third[0])
        self.assertIn("id: third", third[1])
        self.assertEqual(found, {"protocol.theta": ("0.3", "0.4"), "nodes.sto.count": ("3", "4"),
                                 "faults.cut.at": ("7 s", "8 s"),
                                 "faults.slow.id": ("slow", "slower"),
                                 "faults.slow.factor": ("50", "60"), "expect": (None, "safety")})
        self.assertIn("different numbers of nodes", self.diff())

    def test_order_and_comments_of_a_scenario_do_not_count(self):
        self.run_small("a.h5")
        lines = SMALL.splitlines()
        lines[7], lines[8] = lines[8], lines[7]  # groups change places: other node numbers
        self.run_small("b.h5", text="\n".join(lines) + "\n")
        self.assertEqual(self.json("--no-run")["parameters"], [])

    def test_the_first_event_is_the_one_that_traces_tell(self):
        """The same by other means: the whole traces of both runs, compared row by row."""
        self.run_small("a.h5")
        self.run_small("b.h5", "--set", "faults.slow.factor=60")
        found = self.json()
        self.assertEqual([d["path"] for d in found["parameters"]], ["faults.slow.factor"])
        self.assertGreaterEqual(found["slice"]["from_ns"], 3e9)
        self.assertLess(found["slice"]["until_ns"], 6e9)
        self.run_small("ta.h5", "--set", "record.trace=on")
        self.run_small("tb.h5", "--set", "faults.slow.factor=60", "--set", "record.trace=on")
        with h5py.File(self.path("ta.h5")) as a, h5py.File(self.path("tb.h5")) as b:
            rows = min(len(a["trace/time"]), len(b["trace/time"]))
            columns = ("time", "node", "source", "sequence", "kind", "digest")
            differ = sum(a[f"trace/{c}"][:rows] != b[f"trace/{c}"][:rows] for c in columns)
            at = differ.nonzero()[0][0]
            first = min(((f["trace/time"][at], f["trace/node"][at]), f) for f in (a, b))[1]
            kinds = first["trace/kind"].attrs["flag_meanings"].split()
            for side in ("a", "b"):  # one version of it is that row, the other the same event later
                event = found["event"][side]
                self.assertEqual(event["node"], first["trace/node"][at])
                self.assertEqual(event["source"], first["trace/source"][at])
                self.assertEqual(event["sequence"], first["trace/sequence"][at])
                self.assertEqual(event["kind"], kinds[first["trace/kind"][at]])
                self.assertTrue(event["reproduced"])
                other = a if side == "a" else b
                self.assertIn(event["time_ns"], other["trace/time"][:])
            self.assertEqual(min(found["event"][s]["time_ns"] for s in "ab"),
                             first["trace/time"][at])
        text = self.diff()
        self.assertRegex(text, r"\n  A: \w+ at node \d+ \(\w+\[\d\]\), \d+\.\d{9} s, caused by node "
                               r"\d+ \(\S+\), sequence \d+\n"
                               r"(     (vote|proposal|timeout|sync|tx) |  B: resume )")

    def test_an_added_fault_moves_nothing_before_it(self):
        self.run_small("a.h5")
        more = "  - {id: late, at: 10 s, for: 1 s, kind: slow_cpu, nodes: 'val[3]', factor: 90}\n"
        self.run_small("b.h5", text=SMALL.replace("record:", more + "record:"))
        event = self.json()["event"]
        self.assertGreaterEqual(min(e["time_ns"] for e in event.values() if e), 10e9)

    def test_another_record_is_no_other_event(self):
        self.run_small("a.h5")
        self.run_small("b.h5", "--set", "record.blocks=none")
        text = self.diff()
        self.assertIn("every event is the same", text)
        self.assertIn("record.blocks", text)
        self.assertIn("Metrics     0 of", text)

    def test_slices_of_other_lengths(self):
        self.run_small("a.h5")
        self.run_small("b.h5", "--set", "record.slice=300 ms", "--set", "faults.slow.factor=60")
        self.assertGreaterEqual(self.json()["event"]["a"]["time_ns"], 3e9)

    def test_metrics_by_relative_difference(self):
        self.run_small("a.h5")
        self.run_small("b.h5", "--seed", "5")
        found = self.json("--no-run")["metrics"]
        self.assertGreater(len(found), 10)
        sizes = [m["relative"] for m in found]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        with h5py.File(self.path("a.h5")) as a, h5py.File(self.path("b.h5")) as b:
            want = {n for n in {*a["summary"], *b["summary"]}
                    if n not in a["summary"] or n not in b["summary"] or not np.array_equal(
                        a["summary"][n][()], b["summary"][n][()],
                        equal_nan=a["summary"][n].dtype.kind == "f")}
            self.assertEqual({m["name"] for m in found}, want)
            for m in found:
                if m["a"] is not None and m["b"] is not None:
                    x, y = float(a["summary"][m["name"]][()]), float(b["summary"][m["name"]][()])
                    self.assertEqual((m["a"], m["b"], m["absolute"]), (x, y, y - x))
                    self.assertAlmostEqual(m["relative"], abs(y - x) / max(abs(x), abs(y)))
        text = self.diff("--no-run", "--limit", "3")
        self.assertIn(f"and {len(found) - 3} more", text)
        self.assertEqual(len(re.findall(r"%\n", text)), 3)

    def test_inputs(self):
        regions = os.path.join(cli.SOURCE, "scenarios", "data", "aws-regions.csv")
        text = SMALL.replace("REGIONS", "regions.csv")
        self.write("regions.csv", read(regions))
        self.run_small("a.h5", text=text)
        self.write("regions.csv", b"# other\n" + read(regions))
        self.run_small("b.h5", text=text)
        found = self.json()
        self.assertEqual([d["path"] for d in found["inputs"]], ["regions.csv"])
        self.assertEqual(found["parameters"], [])

    def test_a_changed_file_and_a_part_of_one(self):
        self.run_small("a.h5")
        shutil.copy(self.path("a.h5"), self.path("b.h5"))
        with h5py.File(self.path("b.h5"), "r+") as f:
            f["blocks/transactions"][2] += 1
        text = self.diff()
        self.assertIn("was changed after it was written", text)
        self.assertIn("every event is the same", text)
        self.assertRegex(text, r"first difference: /blocks/transactions, row 2: \d+ in A, \d+ in B")
        with h5py.File(self.path("b.h5"), "r+") as f:
            f.attrs.modify("complete", 0)
        self.assertIn("complete = 0", self.diff())

    def test_another_build_that_is_not_reproduced(self):
        """A file of a program that did something else: said, and not passed over."""
        self.run_small("a.h5")
        self.run_small("b.h5", "--set", "faults.slow.factor=60")
        with h5py.File(self.path("a.h5")) as a, h5py.File(self.path("b.h5"), "r+") as b:
            b.attrs.modify("scenario", a.attrs["scenario"])
            b.attrs.modify("build_compiler", np.bytes_("another"))
        text = self.diff()
        self.assertIn("build_compiler", text)
        self.assertIn("run again, both handle the same events", text)

    def test_usage(self):
        self.run_small("a.h5")
        self.write("b.h5", "no results")
        self.assertIn("is not a results file", self.call("diff", "a.h5", "b.h5", code=3).stderr)
        self.assertIn("--limit", self.call("diff", "a.h5", "a.h5", "--limit", "x", code=2).stderr)


if __name__ == "__main__":
    cli.main()
