"""`destrasim rare`: its estimates are those of plain runs and of a closed form, and do not depend on
jobs; bad studies are refused."""
import json
from math import comb

import cli
from cli import Case, scenario

# Two committees more than epochs: those of epochs 0 and 1 are drawn at genesis.
SEATS, POWER, DRAWS = 24, 1 / 6, 3 + 2
SMALL = f"""name: small
duration: {DRAWS - 2} epochs
crypto: modelled
network: {{latency: 20 ms, jitter: none, overlay: {{degree: 8}}}}
nodes:
  - {{name: val, role: validator, count: 5, bond: 2000 DSYNC}}
  - {{name: ring, role: validator, count: 1, bond: 2000 DSYNC, strategy: lying}}
protocol: {{epoch_blocks: 3, block_interval: 100 ms, seats: {SEATS}, g_min: 1, theta: 0, audit: 0,
  detectors: []}}
record: {{node_epoch: none, blocks: none, challenges: none}}
"""


def share_reached(level):
    """P(some committee gives one of six at least `level` of its seats)."""
    least = next(k for k in range(SEATS + 1) if k / SEATS >= level)
    once = sum(comb(SEATS, k) * POWER**k * (1 - POWER)**(SEATS - k)
               for k in range(least, SEATS + 1))
    return 1 - (1 - once)**DRAWS


class Rare(Case):
    def study(self, rare, base="small.yaml", more=""):
        self.write("small.yaml", SMALL)
        return self.write("study.yaml", f"name: rare\nscenario: {base}\n{more}rare: {rare}\n")

    def rare(self, rare, *args, code=0, **more):
        done = self.call("rare", self.study(rare, **more), "--quiet", *args, code=code)
        return done

    def json(self, *args, **more):
        point, = json.loads(self.rare(*args, "--json", **more).stdout)["points"]
        return point

    def test_a_closed_form_with_and_without_splitting(self):
        truth = share_reached(0.4)
        self.assertTrue(0.01 < truth < 0.05, truth)
        for rare in ("{metric: cheat_seat_share, levels: [0.4], split: 1, roots: 300}",
                     "{metric: cheat_seat_share, levels: [0.25, 0.4], split: 3, roots: 150}"):
            point = self.json(rare)
            self.assertTrue(point["lo"] <= truth <= point["hi"], point)
            self.assertLess(abs(point["probability"] - truth), truth, point)
            self.assertGreater(point["roots_with_hits"], 1)
            # The first level too: it is reached as often as runs reach it.
            first = point["levels"][0]
            p = share_reached(first["level"])
            deviation = (point["roots"] * p * (1 - p))**0.5
            self.assertLess(abs(first["reached"] - point["roots"] * p), 3.5 * deviation, point)

    def test_splitting_agrees_with_plain_runs(self):
        naps = ("set: {faults.naps.mtbf: exponential(25 s), duration: 8 epochs, "
                "nodes.sto.count: 4}\n")
        base = scenario("unlucky-naps.yaml")
        plain = self.json("{metric: nearest_ejection, levels: [0.5], split: 1, roots: 100}",
                          base=base, more=naps)
        split = self.json("{metric: nearest_ejection, levels: [0.25, 0.5], split: 4, roots: 60}",
                          base=base, more=naps)
        self.assertGreater(plain["hits"], 3)
        self.assertGreater(split["hits"], 3)
        self.assertTrue(split["lo"] <= plain["hi"] and plain["lo"] <= split["hi"], (plain, split))

    def test_copies_differ(self):
        point = self.json("{metric: cheat_seat_share, levels: [0.2, 0.3], split: 40, roots: 6}")
        first, second = point["levels"]
        self.assertGreater(first["reached"], 0)
        self.assertTrue(0 < second["reached"] < 40 * first["reached"], point)
        self.assertNotEqual(second["reached"] % 40, 0, point)

    def test_jobs_do_not_show(self):
        rare = "{metric: cheat_seat_share, levels: [0.2, 0.3], split: 3, roots: 12}"
        one, three = (self.rare(rare, "--json", "--jobs", jobs).stdout for jobs in ("1", "3"))
        self.assertEqual(one, three)
        other = self.rare(rare, "--json", "--seed", "1000").stdout
        self.assertNotEqual(one, other)

    def test_no_hit_has_an_upper_end(self):
        point = self.json("{metric: cheat_seat_share, levels: [0.3, 0.95], split: 2, roots: 10}")
        self.assertEqual((point["probability"], point["lo"], point["hits"]), (0, 0, 0))
        self.assertAlmostEqual(point["hi"], 1 - 0.025**0.1, places=12)
        text = self.rare("{metric: cheat_seat_share, levels: [0.3, 0.95], split: 2, roots: 10}")
        self.assertIn("no hit: P is at most", text.stdout)

    def test_what_is_wrong_is_said(self):
        level = "{metric: cheat_seat_share, levels: [0.5, 0.4]}"
        self.rare(level, code=2)
        done = self.rare("{metric: mttd, levels: [0.5]}", code=2)
        self.assertIn("nearest_ejection", done.stderr)
        fine = "{metric: cheat_seat_share, levels: [0.2], split: 1, roots: 2}"
        self.rare(fine, "--jobs", "0", code=2)
        done = self.rare(fine, code=2, base="nowhere.yaml")
        self.assertIn("nowhere.yaml", done.stderr)
        self.write("plain.yaml", "name: plain\nscenario: small.yaml\nparameters:\n"
                                 "  - {path: protocol.theta, values: [0, 0.1]}\n")
        done = self.call("rare", self.path("plain.yaml"), "--quiet", code=2)
        self.assertIn("rare", done.stderr)

    def test_a_root_that_fails_is_told(self):
        rare = "{metric: cheat_seat_share, levels: [0.9], split: 1, roots: 2}"
        done = self.rare(rare, code=1, base=scenario("fork-by-collusion.yaml"))
        self.assertRegex(done.stderr, r"1 of 2 roots failed.* seed 1: .*agree")
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    cli.main()
