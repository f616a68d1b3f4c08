"""Private payments, applications and channels as a user meets them: what `run` says, what `check`
refuses and where, and `verify`, `trace`, `diff` and `report` of such a run."""
import json
import os
import re
import unittest

import cli
from cli import DIAGNOSTIC, Case, read

SMALL = """# Payments, three applications, and somebody between sto[1] and everybody else.
name: private
seed: 3
crypto: modelled
duration: 3 epochs
network: {regions: REGIONS, channels: charged}
nodes:
  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}
  - {name: sto, role: service, count: 2, bond: 1000 DSYNC}
  - name: cli
    role: client
    count: 6
    demand: {arrivals: none}
    payments: {arrivals: poisson(0.2 /s), amount: 3 DSYNC, shield: 80 DSYNC, notes: 3, from: 8 s}
privacy: {ring: 4, decoys: 20, holders: 4}
applications:
  - {name: hall, kind: auction, at: 3 s, owner: 'cli[0]', participants: 'cli[1..3]',
     amount: 'uniform(10 DSYNC, 20 DSYNC)', close: 6, end: 14}
  - {name: meter, kind: usage, at: 3 s, owner: 'cli[4]', participants: 'cli[1..3]', node: 'sto[0]',
     value: 'uniform(5, 90)', close: 6, end: 16}
  - {name: oracle, kind: inference, at: 3 s, participants: 'cli[1..2]', node: 'sto[0]',
     features: 2, rounds: 1}
protocol: {epoch_blocks: 10}
faults:
  - {id: between, at: 24 s, for: 3 s, kind: mitm, src: 'sto[1]', dst: all}
record: {trace: on}
expect: [safety, applications_exact == 3, application_exact.hall, payments_private > 0]
"""

# What is refused, at a place that the text marks with @, and words of what is said.
HEAD = """name: bad
duration: 3 epochs
network: {latency: 10 ms}
nodes:
  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}
  - {name: sto, role: service, count: 2, bond: 1000 DSYNC}
"""
CLIENTS = HEAD + "  - {name: cli, role: client, count: 90}\n"
ON = CLIENTS + "privacy: {holders: 4}\napplications:\n  - "
WHO = "name: x, at: 5 s, owner: 'cli[0]'"
BAD = [
    (CLIENTS + "privacy: {@rings: 4}", "did you mean `ring`"),
    (CLIENTS + "privacy: {ring: @1}", "use 2 to 64"),
    (CLIENTS + "privacy: {ring: @many}", "is not a number"),
    (CLIENTS + "privacy: {holders: @9}", "9 of 4 validators cannot hold keys"),
    (CLIENTS + "privacy: {threshold: @3}", "give holders"),
    (CLIENTS + "privacy: {holders: 3, threshold: @4}", "4 is above holders, 3"),
    (CLIENTS + "privacy: {beacon: @threshold}", "needs key holders"),
    (CLIENTS + "privacy: {holders: 4, beacon: @vrg}", "did you mean `vrf`"),
    (HEAD + "  - {name: cli, role: client, count: 3, payments: @{}}", "give privacy.decoys"),
    (HEAD + "  - {name: cli, role: client, count: 3, payments: @{}}\nprivacy: {decoys: 10}",
     "as many notes at genesis as a ring has"),
    (HEAD + "  - {name: cli, role: client, count: 1, payments: @{}}\nprivacy: {decoys: 20}",
     "no other client to pay"),
    (HEAD + "  - {name: cli, role: client, count: 3, payments: {notes: @99}}\n"
     "privacy: {decoys: 20}", "use 1 to 32"),
    (HEAD + "  - {name: cli, role: client, count: 3, payments: {strategy: @ghost}}\n"
     "privacy: {decoys: 20}", "is for a service node, this group's role is client"),
    (HEAD + "  - {name: cli, role: client, count: 3, payments: {arrivals: @poisson(5 s)}}\n"
     "privacy: {decoys: 20}", "is a unit of time, but this is a rate"),
    (CLIENTS + "applications:\n  - @{" + WHO + ", kind: auction, participants: 3 of cli}",
     "add `privacy: {}`"),
    (ON + "{" + WHO + ", kind: @auctoin, participants: 3 of cli}", "did you mean `auction`"),
    (ON + "@{name: x, at: 5 s, kind: auction, participants: 3 of cli}", "`owner` is missing"),
    (ON + "{name: x, at: 5 s, owner: @'cli[0..1]', kind: auction, participants: 3 of cli}",
     "is not one node"),
    (ON + "{name: x, at: 5 s, owner: @'clu[0]', kind: auction, participants: 3 of cli}",
     "did you mean `cli`"),
    (ON + "{name: x, at: 5 s, owner: @'cli[97]', kind: auction, participants: 3 of cli}",
     "has 90 nodes"),
    (ON + "{" + WHO + ", kind: auction, participants: 3 of cli, @value: 5}",
     "does nothing for kind auction"),
    (ON + "{" + WHO + ", kind: auction, participants: @'cli[0]'}", "leaves too few"),
    (ON + "{" + WHO + ", kind: auction, participants: @40 of cli}", "choose at most 32"),
    (ON + "{" + WHO + ", kind: auction, participants: 3 of cli, close: @20, end: 10}",
     "20 is not before end"),
    (ON + "{" + WHO + ", kind: auction, participants: 3 of cli, end: @900}",
     "the run has 180 blocks"),
    (ON + "{" + WHO + ", kind: escrow, participants: 3 of cli, threshold: @4, node: 'cli[1]'}",
     "can never approve"),
    (ON + "{" + WHO + ", kind: escrow, participants: 3 of cli, threshold: 2, node: @'cli[0]'}",
     "is the owner, too"),
    (ON + "{" + WHO + ", kind: rating, participants: 3 of cli, node: @'cli[1]'}",
     "no service node"),
    (ON + "{" + WHO + ", kind: rating, participants: 3 of cli, node: 'sto[1]', "
     "value: @'uniform(1, 9)'}", "goes up to 9"),
    (ON + "{" + WHO + ", kind: usage, participants: 3 of cli, node: 'sto[1]', bound: @5}",
     "bound and payment belong together"),
    (ON + "{name: x, at: 5 s, kind: training, participants: @'cli[3]', node: 'sto[0]'}",
     "needs at least 2"),
    (ON + "{" + WHO + ", kind: auction, participants: 3 of cli}\n  - {name: @x, at: 6 s, "
     "owner: 'cli[1]', kind: auction, participants: 3 of cli}", "duplicate name `x`"),
    (ON + "{" + WHO + ", kind: auction, participants: 3 of cli}\nexpect: [@application_exact.y]",
     "did you mean `x`"),
    (CLIENTS + "expect: [@contracts_settled.training > 1]",
     "one of auction, escrow, rating, usage"),
    (CLIENTS + "expect: [@channel_refused.foriegn > 1]", "did you mean `foreign`"),
    (CLIENTS + "faults:\n  - @{at: 5 s, for: 3 s, kind: mitm, src: 'val[0]', dst: all}",
     "needs channels to stand between"),
    (CLIENTS.replace("10 ms", "10 ms, channels: @reel"), "did you mean `real`"),
]


class Private(Case):
    kept = {}  # of a run by its arguments: what it printed, its file

    def setUp(self):
        super().setUp()
        regions = os.path.join(cli.SOURCE, "scenarios", "data", "aws-regions.csv")
        self.write("small.yaml", SMALL.replace("REGIONS", regions))

    def run_small(self, *args):
        """x.h5; the same run is made once for all tests."""
        if args not in self.kept:
            said = self.call("run", "small.yaml", "-o", "x.h5", "--quiet", *args, code=0).stdout
            self.kept[args] = said, read(self.path("x.h5"))
        self.write("x.h5", self.kept[args][1])
        return self.kept[args][0]

    def says(self, text, *patterns):
        for pattern in patterns:
            self.assertTrue(re.search(pattern, text, re.M), f"{pattern} is not in\n{text[:4000]}")

    def test_summary(self):
        said = self.run_small()
        self.says(said,
                  r"^Private     [1-9]\d* payments, final after .* s in the median, .* given up$",
                  r"^Apps        hall \(auction\) sold for 1\d\.\d+ DSYNC$",
                  r"^            meter \(usage\) opened to a total of [1-9]\d+$",
                  r"^            oracle \(inference\) gave 2 clients the answer of the plain",
                  r"^Channels    [1-9]\d* opened, after .*; [1-9]\d* refused \(.*foreign [1-9]",
                  r"^            [1-9]\d* messages were kept by a man in the middle$",
                  r"^Expected    4 of 4 expectations held$")
        self.assertNotIn("(null)", said)
        self.assertNotIn("NOT what", said)

    def test_json(self):
        told = json.loads(self.run_small("--json"))
        self.assertGreater(told["payments_private"], 0)
        self.assertEqual(told["payments_called"] - told["payments_failed"],
                         told["payments_private"])
        self.assertGreater(told["payment_latency.p50"], 1)
        self.assertEqual(told["applications_done"], 3)
        self.assertEqual([told["application_exact." + n] for n in ("hall", "meter", "oracle")],
                         [1, 1, 1])
        self.assertTrue(10 <= told["application_result.hall"] <= 20)
        self.assertTrue(15 <= told["application_result.meter"] <= 270)
        self.assertEqual(told["application_result.oracle"], 2)
        self.assertIsNone(told["training_exact"])
        self.assertEqual(told["contracts_settled.auction"], 1)
        self.assertGreater(told["channel_refused.foreign"], 0)
        self.assertEqual(told["channel_refused.forged"], 0)
        self.assertEqual(told["channel_refused"],
                         sum(v for k, v in told.items() if k.startswith("channel_refused.")))

    def test_cut_short(self):
        """What did not come to its end is said to be so, and is neither exact nor not."""
        said = self.call("run", "small.yaml", "-o", "x.h5", "--quiet", "--until", "6 s",
                         code=1).stdout
        self.assertRegex(said, r"Apps +hall \(auction\) did not come to its end\n")
        told = json.loads(self.call("run", "small.yaml", "-o", "y.h5", "--quiet", "--until", "6 s",
                                    "--json", code=1).stdout)
        self.assertIsNone(told["application_result.hall"])
        self.assertIsNone(told["application_exact.hall"])
        self.assertEqual(told["applications_exact"], told["applications_done"])
        self.call("report", "x.h5", "-o", "r.html", code=0)
        self.assertIn("did not come to its end", read(self.path("r.html")).decode())

    def test_verify(self):
        self.run_small()
        self.assertIn("x.h5: verified", self.call("verify", "x.h5", "--quiet", code=0).stdout)

    def trace(self, *args):
        return self.call("trace", "x.h5", "--quiet", "--limit", "0", *args, code=0).stdout

    def test_trace(self):
        self.run_small()
        first = self.trace("--from", "2900 ms", "--to", "16 s", "--kinds", "tx,client,note")
        self.says(first,
                  r"cli\[0\] +call of its user: take part in a private application$",
                  r"tx contract call, auction: opened, 56 bytes, from cli\[0\]$",
                  r"tx contract call, auction \d: sealed bid, \d+ bytes, from cli\[2\]$",
                  r"tx contract call, usage \d: encrypted report, \d+ bytes, from cli\[3\]$",
                  r"tx contract call, usage \d: holder's share of the decryption, .*from val",
                  r"app of oracle \(inference\), step \d, \d+ bytes$",
                  r"application oracle over, with result \d+$",
                  r"found a note of 26666666666 nDSYNC for it, of its own making$",
                  r"cli\[\d\] +call of its user: pay privately$",
                  r"to val.*: tx confidential transfer of \d+ bytes, parties and amounts hidden$",
                  r"found a note of 3000000000 nDSYNC for it, from somebody else$",
                  r"private payment final after \d\.\d+ s$")
        attacked = self.trace("--from", "24 s", "--to", "28 s", "--node", "sto[1]",
                              "--kinds", "note")
        self.says(attacked, r"sto\[1\] +channel: foreign$")
        for text in (first, attacked):
            self.assertIsNone(re.search(r"\bnote \w+:|\(null\)|method \d|unknown kind", text))

    def test_diff(self):
        for out, *more in (("x.h5",), ("y.h5", "--set", "privacy.ring=8")):
            self.call("run", "small.yaml", "-o", out, "--quiet", "--until", "5 s", *more, code=1)
        said = self.call("diff", "x.h5", "y.h5", "--quiet", code=1).stdout
        self.assertRegex(said, r"Parameters  1 differ\n  privacy.ring\n    A: 4\n    B: 8\n")

    def test_report(self):
        self.run_small()
        self.call("report", "x.h5", "-o", "r.html", code=0)
        self.call("report", "x.h5", "-o", "again.html", code=0)
        page = read(self.path("r.html"))
        self.assertEqual(page, read(self.path("again.html")))
        text = re.sub(r"<[^>]+>", "|", page.decode())
        text = re.sub(r"[|\s]*\|[|\s]*", "|", text)
        for words in ("|Private payments, applications and channels|", "|Private payments|",
                      "|private payments in final blocks|", "|Applications|",
                      "|application|kind|result|exact|", "|hall|auction|sold for 1",
                      "|meter|usage|opened to a total of ", "|oracle|inference|gave 2 clients",
                      "plain computation|yes|", "|channels opened|", "|cause|refused|",
                      "|foreign|"):
            self.assertIn(words, text)

    def test_report_without(self):
        self.run_smoke("s.h5")
        self.call("report", "s.h5", "-o", "r.html", code=0)
        self.assertNotIn("Private payments", read(self.path("r.html")).decode())


class Check(Case):
    def test_refusals(self):
        self.assertGreaterEqual(len(BAD), 25)
        for text, words in BAD:
            with self.subTest(text=text[text.index("\n  - {name: sto"):], words=words):
                at = text.index("@")
                line = text.count("\n", 0, at) + 1
                column = at - (text.rfind("\n", 0, at) + 1) + 1
                self.write("bad.yaml", text.replace("@", "") + "\n")
                done = self.call("check", "bad.yaml", code=2)
                found = DIAGNOSTIC.findall(done.stderr)
                self.assertEqual([f[:3] for f in found],
                                 [("bad.yaml", str(line), str(column))], done.stderr)
                self.assertIn(words, found[0][3])

    def test_all_at_once(self):
        """Every mistake in one go, and none that is only the shadow of another."""
        self.write("bad.yaml", HEAD.replace("count: 4", "count: four") +
                   "  - {name: cli, role: client, count: 3, payments: {notes: 99}}\n"
                   "privacy: {ring: 1, holders: 9, decoys: 20}\n"
                   "expect: [application_exact.x]\n")
        said = self.call("check", "bad.yaml", code=2).stderr
        self.assertEqual([int(f[1]) for f in DIAGNOSTIC.findall(said)], [5, 7, 8, 9], said)
        self.assertNotIn("of 0 validators", said)
        self.assertNotIn("no other client", said)

    def test_words(self):
        for path in ("privacy", "privacy.ring", "privacy.holders", "privacy.beacon",
                     "applications[].kind", "applications[].participants",
                     "nodes[].payments.arrivals", "nodes[].payments.shield", "network.channels"):
            said = self.call("explain", path, code=0).stdout
            self.assertRegex(said, r"type: |members:")
            self.assertNotIn("(null)", said)
        said = self.call("list", "metrics", "applications", "costs", "faults", "strategies",
                         code=0).stdout
        for word in ("application_exact.NAME", "channel_refused[.CAUSE]", "auction", "range_verify",
                     "mitm", "double_spender"):
            self.assertIn(word, said)
        self.assertNotIn("(null)", said)


if __name__ == "__main__":
    cli.main()
