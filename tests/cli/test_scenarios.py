"""Scenarios that are wrong: place, reason, suggestion, exit code 2, and no file left behind; and
those of scenarios/ that are about faults or privacy, which run in seconds: what they expect holds."""
import json
import os
import unittest

import cli
from cli import Case, DIAGNOSTIC, scenario

GOOD = """\
# A small run.
name: small
duration: 2 epochs
network:
  latency: 20 ms
nodes:
  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}
  - {name: sto, role: service, count: 4, bond: 1000 DSYNC}
  - {name: cli, role: client, count: 2}
protocol:
  theta: 0.3
  epoch_blocks: 5
"""

GML_DIRECTED = """\
graph [
  directed 1
  node [ id 0 ]
  node [ id 1 ]
  edge [ source 0 target 0 latency "1 ms" ]
  edge [ source 1 target 1 latency "1 ms" ]
  edge [ source 0 target 1 latency "10 ms" ]
  edge [ source 1 target 0 ]
]
"""

GML_SPLIT = """\
graph [
  node [ id 0 ]
  node [ id 1 ]
  node [ id 2 ]
  edge [ source 0 target 1 latency "10 ms" ]
]
"""

# what, replaced, by, line and column of the message, words in it
BAD = [
    ("unknown key", "  theta: 0.3", "  teta: 0.3", (11, 3), ["unknown key `teta`", "`theta`"]),
    ("unknown top key", "duration: 2", "durration: 2", (3, 1), ["`durration`", "`duration`"]),
    ("duplicate key", "  theta: 0.3", "  theta: 0.3\n  theta: 0.4", (12, 3),
     ["duplicate key `theta`", "line 11", "remove one"]),
    ("wrong unit", "20 ms", "20 MiB", (5, 12), ["`MiB`", "ms", "30 s"]),
    ("no unit", "20 ms", "20", (5, 12), ["unit", "ms"]),
    ("out of range", "epoch_blocks: 5", "epoch_blocks: 2", (12, 17), ["`2`", "3"]),
    ("theta above one", "theta: 0.3", "theta: 1.5", (11, 10), ["theta", "1.5", "between 0 and 1"]),
    ("missing graph file", "latency: 20 ms", "graph: absent.gml", (5, 10),
     ["absent.gml", "No such file", "relative"]),
    ("missing regions file", "latency: 20 ms", "regions: absent.csv", (5, 12),
     ["absent.csv", "No such file"]),
    ("selector without nodes", "protocol:",
     "faults:\n  - {at: 1 s, kind: crash, nodes: cly}\nprotocol:", (11, 35), ["`cly`", "`cli`"]),
    ("regions where there are none", "protocol:",
     "faults:\n  - {at: 1 s, kind: crash, nodes: region eu*}\nprotocol:", (11, 35),
     ["network.regions"]),
    ("nodes that a group does not have", "protocol:",
     "faults:\n  - {at: 1 s, kind: crash, nodes: 'val[9]'}\nprotocol:", (11, 35), ["val[9]"]),
    ("duplicate names", "name: sto", "name: val", (8, 12), ["duplicate name `val`"]),
    ("zero validators", "count: 4, bond: 2000", "count: 0, bond: 2000", None, ["validator"]),
    ("no validators at all",
     "  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}\n", "", None, ["validator"]),
    ("unknown role", "role: client", "role: cliant", (9, 23), ["`cliant`", "`client`"]),
    ("unknown strategy", "count: 4, bond: 1000 DSYNC",
     "count: 4, bond: 1000 DSYNC, strategy: goost", None, ["`goost`", "`ghost`"]),
    ("unknown metric", "protocol:", "expect:\n  - saftey\nprotocol:", (11, 5),
     ["`saftey`", "`safety`"]),
    ("broken YAML", "protocol:\n", "protocol: [\n", None, []),
    ("a tab as indentation", "  theta: 0.3", "\ttheta: 0.3", None, []),
    ("unquoted comma", "bond: 2000 DSYNC}", "bond: pareto(2000 DSYNC, 1.6)}", None, ["quote"]),
    ("an anchor", "latency: 20 ms", "latency: &x 20 ms", None, ["anchor"]),
    ("a second document", "protocol:", "---\nprotocol:", None, ["document"]),
    ("bond below the least", "bond: 2000 DSYNC", "bond: 2000 EUR", None, ["`EUR`", "DSYNC"]),
    ("disconnected generated graph", "latency: 20 ms",
     "generate: {kind: erdos_renyi, nodes: 50, p: 0.001}", None, ["connect"]),
]


class Bad(Case):
    def refuse(self, text, place, words, files=(), command="run"):
        self.write("bad.yaml", text)
        kept = ["bad.yaml", *files]
        done = self.call(command, "bad.yaml", code=2)
        self.assertEqual(done.stdout, "")
        found = DIAGNOSTIC.findall(done.stderr)
        self.assertTrue(found, f"no FILE:LINE:COL: error: in {done.stderr!r}")
        self.assertEqual(len(found), len(done.stderr.splitlines()), done.stderr)
        for file, line, column, _ in found:
            self.assertEqual(file, "bad.yaml")
            self.assertGreaterEqual(int(line), 1)
            self.assertGreaterEqual(int(column), 1)
        messages = "\n".join(f[3] for f in found)
        for word in words:
            self.assertIn(word.lower(), messages.lower())
        if place is not None:
            self.assertIn(place, [(int(f[1]), int(f[2])) for f in found], done.stderr)
        self.no_results(*kept)
        return found

    def test_the_good_one_is_good(self):
        self.write("good.yaml", GOOD)
        self.call("check", "good.yaml", "--quiet", code=0)

    def test_gml_without_latency_names_the_ends_of_the_edge(self):
        self.write("net.gml", GML_DIRECTED)
        found = self.refuse(GOOD.replace("latency: 20 ms", "graph: net.gml"), (5, 10),
                            ["latency", "net.gml"], files=["net.gml"])
        text = found[0][3]
        self.assertRegex(text, r"\b1\b.*\b0\b")

    def test_gml_in_two_pieces(self):
        self.write("net.gml", GML_SPLIT)
        self.refuse(GOOD.replace("latency: 20 ms", "graph: net.gml"), (5, 10),
                    ["connect", "net.gml"], files=["net.gml"])

    def test_region_that_matches_nothing(self):
        self.write("net.csv", "from,us-a,eu-b\nus-a,2,80\neu-b,80,2\n")
        self.refuse(GOOD.replace("latency: 20 ms", "regions: net.csv").replace(
            "protocol:", "faults:\n  - {at: 1 s, kind: crash, nodes: region ap*}\nprotocol:"),
                    (11, 35), ["`ap*`", "us-a"], files=["net.csv"])

    def test_invalid_utf8(self):
        text = GOOD.encode().replace(b"name: small", b"name: sm\xffll")
        self.refuse(text, (2, 9), ["UTF-8"])

    def test_invalid_utf8_in_a_directive(self):
        self.refuse(b"%YAML \xff\xfe 1.2\n---\n" + GOOD.encode(), None, ["UTF-8"])

    def test_an_empty_file(self):
        self.refuse("", None, ["name"])

    def test_everything_is_reported_in_one_go(self):
        text = GOOD.replace("theta: 0.3", "theta: 1.5").replace("20 ms", "20 MiB").replace(
            "duration:", "durations:")
        found = self.refuse(text, (5, 12), ["`MiB`", "1.5", "`durations`"])
        self.assertGreaterEqual(len(found), 3)
        places = [(int(f[1]), int(f[2])) for f in found]
        self.assertEqual(places, sorted(places))

    def test_check_says_the_same_as_run(self):
        self.refuse(GOOD.replace("theta: 0.3", "theta: 1.5"), (11, 10), ["1.5"], command="check")

    def test_check_goes_on_after_a_bad_one(self):
        self.write("bad.yaml", GOOD.replace("theta: 0.3", "theta: 1.5"))
        self.write("good.yaml", GOOD)
        done = self.call("check", "bad.yaml", "good.yaml", code=2)
        self.assertIn("name: small", done.stdout)
        self.assertIn("bad.yaml:11:10", done.stderr)


def add(what, old, new, place, words):
    def test(self):
        self.assertIn(old, GOOD)
        self.refuse(GOOD.replace(old, new, 1), place, words)
    setattr(Bad, "test_" + what.replace(" ", "_"), test)


for row in BAD:
    add(*row)

# what, exit code, whether to verify the file; what makes its expectations fail
FAULTS = [
    ("amnesia", 0, True, ["faults.gone.at=60 s"]),
    ("asynchrony-gst", 0, False, ["faults.anarchy.latency=1 ms", "faults.anarchy.loss=0"]),
    ("bridge", 0, False, ["faults.bridge.for=1 s"]),
    ("censorship", 0, False, ["faults.hush.nodes=val[0..8]"]),
    ("churn-trace", 0, False, ["faults.outages.nodes=val"]),
    ("disk", 0, True, ["faults.fsync.at=1 min"]),
    ("eclipse", 0, False, ["faults.relayed.nodes=val[0..4]"]),
    ("flapping", 0, False, ["faults.flap.for=1 ms"]),
    ("fork-by-collusion", 1, True, ["faults.clique.nodes=val[6..8]"]),  # more than a third collude
    ("late-joiners", 0, True, ["faults.flash.at=1 s"]),
    ("mitm", 0, True, ["faults.between.src=val[0..4]"]),
    ("one-way", 0, False, ["faults.mute.src=val[0..3]", "faults.deaf.dst=val[0..3]"]),
    ("ring-of-majorities", 0, False, ["faults.ring.for=1 s"]),
    ("spam", 0, False, ["network.bandwidth=5 Mbit"]),
    ("twins-in-the-wild", 0, True, ["faults.twins.behaviour=delay"]),
]


# The same of those that are about privacy; --set for a quick run (private-payments takes half a minute).
PRIVATE = [
    ("encrypted-usage", 0, True, ["faults=[{kind: crash, at: 1 s, nodes: 'val[0..2]'}]"]),
    ("federated-training", 0, True, ["faults=[{kind: crash, at: 9 s, nodes: gpu}]"]),
    ("sealed-auction", 0, False, ["applications.house.participants=cli[3..5]",
                                  "faults=[{kind: crash, at: 1 s, nodes: 'cli[3]'}]"]),
]


class Faults(Case):
    def run_one(self, name, *args, code):
        done = self.call("run", scenario(name + ".yaml"), "-o", "x.h5", "--quiet", "--json", *args,
                         code=code)
        return json.loads(done.stdout)

    def try_one(self, name, code, again, wrong):
        self.assertRegex(cli.read(scenario(name + ".yaml")), rb"^# .+\n(#.*\n)*# Answer \(seed 1")
        one = self.run_one(name, "--threads", "1", code=code)
        two = self.run_one(name, "--threads", "2", code=code)
        self.assertEqual(one["trace_digest"], two["trace_digest"])
        for claim in one["expectations"] + one["sometimes"]:
            self.assertTrue(claim["held"], claim)
        if again:
            self.call("verify", "x.h5", "--quiet", code=0)
        other = self.run_one(name, *(a for w in wrong for a in ("--set", w)), code=1)
        self.assertFalse(all(c["held"] for c in other["expectations"] + other["sometimes"]))

    def test_private_payments_in_short(self):
        self.assertRegex(cli.read(scenario("private-payments.yaml")), rb"^# .+\n(#.*\n)*# Answer \(seed 1")
        short = ["--set", "nodes.val.count=10", "--set", "duration=2 epochs", "--set",
                 "nodes.cli.count=6", "--set", "expect=[safety, supply, payments_private > 50]"]
        one = self.run_one("private-payments", *short, "--threads", "1", code=0)
        two = self.run_one("private-payments", *short, "--threads", "2", code=0)
        self.assertEqual(one["trace_digest"], two["trace_digest"])

    def test_the_fork_convicts_a_third(self):
        found = self.run_one("fork-by-collusion", code=1)
        self.assertEqual(found["invariant"], "agreement")
        self.assertIn("convict 4 of 10 members", found["violation"])
        fewer = self.run_one("fork-by-collusion", "--set", "faults.clique.nodes=val[6..8]", "--set",
                             "expect=safety", code=0)
        self.assertTrue(fewer["invariants_held"])


def add_try(row):
    setattr(Faults, "test_" + row[0].replace("-", "_"), lambda self: self.try_one(*row))


for row in FAULTS + PRIVATE:
    add_try(row)

if __name__ == "__main__":
    cli.main()
