"""`destrasim fuzz`: what it reports does not depend on jobs or on being resumed; what it writes fails
under plain `run`; crashes are failures too."""
import json
import os
import re
import signal
import subprocess
import time

import cli
from cli import Case, scenario

BASE = """name: small
duration: 60 s
crypto: modelled
network: {latency: 40 ms, overlay: {degree: 8}}
nodes:
  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}
protocol: {epoch_blocks: 12, block_interval: 1 s, g_min: 1}
record: {node_epoch: none, blocks: none, challenges: none}
"""
# Crashes and partitions are what makes this fail, so a minimised run still has some.
FAILING = BASE + "expect: [rounds_timed_out == 0]\n"
FINE = BASE + "sometimes: [rounds_timed_out > 0, epochs >= 1]\n"


class Fuzz(Case):
    def fuzz(self, text, *args, code=None):
        path = self.write("base.yaml", text)
        return self.call("fuzz", path, "--quiet", *args, code=code)

    def json(self, text, *args, code=None):
        return json.loads(self.fuzz(text, "--json", *args, code=code).stdout)

    def test_a_failure_is_minimised_and_fails_under_run(self):
        got = self.json(FAILING, "--seed", "3", "-o", "out", code=1)
        failure, = got["failures"]
        self.assertEqual(failure["invariant"], "rounds_timed_out == 0")
        self.assertTrue(failure["confirmed"])
        self.assertLessEqual(failure["faults_minimised"], failure["faults"])
        name = f"small-3-{failure['run']}"
        self.assertEqual(sorted(os.listdir(self.path("out"))), [f"{name}-full.yaml", f"{name}.yaml"])
        for file in (failure["file"], failure["drawn"]):
            text = cli.read(self.path(file)).decode()
            self.assertTrue(text.startswith("# Violates rounds_timed_out == 0.\n"), text)
            done = self.call("run", file, "--quiet", "-o", "x.h5", code=1)
            self.assertIn("rounds_timed_out", done.stdout)
        self.assertLess(os.path.getsize(self.path(failure["file"])),
                        os.path.getsize(self.path(failure["drawn"])) + 100)
        self.call("check", failure["file"], code=0)

    def test_the_command_to_type_is_printed(self):
        done = self.fuzz(FAILING, "-o", "out", code=1)
        command = re.search(r"reproduce it:  destrasim (run \S+)", done.stdout)
        self.assertTrue(command, done.stdout)
        self.call(*command.group(1).split(), "--quiet", code=1)

    def test_the_file_says_how_it_was_drawn(self):
        got = self.json(FAILING, "--seed", "3", "--set", "protocol.theta=0.25", code=1)
        head = cli.read(self.path(got["failures"][0]["file"])).decode()
        command = re.search(r"^#     destrasim (fuzz base.yaml .+)$", head, re.M)[1].split()
        self.assertIn("protocol.theta=0.25", command)
        again = json.loads(self.call(*command, "--quiet", "--json", "--shrink-time", "1 ms",
                                     code=1).stdout)
        self.assertEqual(again["failures"][0]["run"], got["failures"][0]["run"])
        self.assertEqual(again["failures"][0]["invariant"], got["failures"][0]["invariant"])

    def test_jobs_change_nothing(self):
        one, four = (self.json(FAILING, "--jobs", n, "-o", n, "--seed", "5", code=1)
                     for n in ("1", "4"))
        for got in (one, four):
            got.pop("wall_s")
            for failure in got["failures"]:
                for key in ("file", "drawn"):
                    failure[key] = cli.read(self.path(failure[key]))
        self.assertEqual(one, four)

    def test_coverage_and_sometimes(self):
        got = self.json(FINE, "--runs", "30", "--keep-going", "--shrink-time", "1 s")
        self.assertEqual(got["runs"], 30)
        self.assertGreater(got["virtual_s"], 30 * 20)
        begun = {kind: sum(phases.values()) for kind, phases in got["coverage"].items()}
        self.assertEqual(len(begun), 21)
        self.assertGreater(sum(n > 0 for n in begun.values()), 12)
        phases = [sum(k[p] for k in got["coverage"].values()) for p in got["coverage"]["crash"]]
        self.assertGreater(sum(n > 0 for n in phases), 5)
        self.assertGreater(got["sometimes"]["epochs >= 1"], 15)

    def test_what_never_happens_is_exit_1(self):
        text = BASE + "sometimes: [epochs >= 100000]\n"
        done = self.fuzz(text, "--runs", "2", code=1)
        self.assertIn("NEVER", done.stdout)

    def test_resumed_or_not_is_the_same(self):
        whole = self.json(FINE, "--runs", "12", "--keep-going", "--shrink-time", "1 s")
        for runs in ("5", "9", "12"):
            parts = self.json(FINE, "--runs", runs, "--keep-going", "--resume", "state",
                              "--shrink-time", "1 s")
        for got in (whole, parts):
            got.pop("wall_s")
            for failure in got["failures"]:
                for key in [k for k in failure if k not in ("run", "invariant")]:
                    failure.pop(key)
        self.assertEqual(whole, parts)
        self.assertFalse(os.path.exists(self.path("state.partial")))

    def test_resuming_something_else_is_refused(self):
        self.json(FINE, "--runs", "2", "--keep-going", "--resume", "state", "--shrink-time", "1 s")
        done = self.fuzz(FAILING, "--runs", "3", "--resume", "state", code=2)
        self.assertIn("another scenario", done.stderr)
        done = self.fuzz(FINE, "--runs", "3", "--resume", "state", "--seed", "9", code=2)
        self.assertIn("seed 1", done.stderr)
        self.write("state", "nonsense\n")
        done = self.fuzz(FINE, "--runs", "3", "--resume", "state", code=2)
        self.assertIn("no campaign", done.stderr)

    def test_print_shows_the_run_and_is_that_run(self):
        done = self.fuzz(FAILING, "--only", "4", "--print", code=0)
        self.write("four.yaml", done.stdout)
        self.call("check", "four.yaml", code=0)
        code = self.fuzz(FAILING, "--only", "4", "-o", "out").returncode
        self.call("run", "four.yaml", "--quiet", code=code)

    def test_only_is_that_run_of_many(self):
        many = self.json(FAILING, "--keep-going", "--runs", "8", "--shrink-time", "1 ms", code=1)
        one = self.json(FAILING, "--only", str(many["failures"][-1]["run"]), "--shrink-time", "1 ms",
                        code=1)
        self.assertEqual(one["failures"][0]["run"], many["failures"][-1]["run"])
        self.assertEqual(one["failures"][0]["invariant"], many["failures"][-1]["invariant"])

    def test_time_ends_it(self):
        began = time.monotonic()
        got = self.json(FINE, "--time", "1 s", "--keep-going", "--shrink-time", "1 ms")
        self.assertLess(time.monotonic() - began, 60)
        self.assertGreater(got["runs"], 0)

    def test_files_that_the_scenario_names_go_along(self):
        text = FAILING.replace("latency: 40 ms", "regions: " + scenario("data/aws-regions.csv"))
        got = self.json(text, "-o", "out", code=1)
        self.assertTrue(os.path.exists(self.path("out/aws-regions.csv")))
        self.assertTrue(got["failures"][0]["confirmed"])

    def test_refusals(self):
        self.assertIn("no folder", self.fuzz(FINE, "-o", "base.yaml", code=3).stderr)
        self.assertIn("--runs", self.fuzz(FINE, "--runs", "0", code=2).stderr)
        self.assertIn("--only is one run",
                      self.fuzz(FINE, "--only", "3", "--from", "2", code=2).stderr)
        self.assertIn("name another folder", self.fuzz(FINE, "-o", "no/such/one", code=3).stderr)
        done = self.fuzz(FINE, "--resume", "no/file", "--runs", "1", code=3)
        self.assertEqual(len(done.stderr.splitlines()), 1)  # at once, and once
        self.assertEqual(done.stdout, "")
        self.fuzz("name: x\n", code=2)
        self.call("fuzz", code=2)

    def children(self, pid):
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
                return [int(n) for n in f.read().split()]
        except OSError:
            return []

    def start(self, *args):
        path = self.write("base.yaml", FINE)
        return subprocess.Popen([cli.PROGRAM, "fuzz", path, "--quiet", *args], cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_a_crash_is_a_failure(self):
        run = self.start("--runs", "40", "--keep-going", "--json", "--shrink-time", "1 ms")
        hit = False
        while not hit and run.poll() is None:
            for pid in self.children(run.pid):
                os.kill(pid, signal.SIGSEGV)
                hit = True
                break
        out, err = run.communicate(timeout=200)
        self.assertEqual(run.returncode, 1, err)
        crashed = [f for f in json.loads(out)["failures"] if "signal 11" in f["invariant"]]
        self.assertEqual(len(crashed), 1, out)
        self.assertFalse(crashed[0]["again"])  # it was not the run's fault, and that is said

    def test_a_signal_ends_it_after_saving(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            run = self.start("--runs", "100000", "--keep-going", "--resume", f"state{code}",
                             "--shrink-time", "1 ms")
            time.sleep(1)
            children = self.children(run.pid)
            run.send_signal(number)
            run.communicate(timeout=200)
            self.assertEqual(run.returncode, code)
            for pid in children:
                self.assertFalse(os.path.exists(f"/proc/{pid}"))
            self.assertTrue(cli.read(self.path(f"state{code}")).endswith(b"end\n"))


if __name__ == "__main__":
    cli.main()
