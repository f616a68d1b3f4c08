"""`destrasim sweep`: study.h5 is a function of the study alone, whatever the jobs, shards, kills and
folders; what cannot be run is said, listed and not dropped."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np

import cli
from cli import Case, scenario

SMALL = "studies/small.yaml"
KILLS = int(os.environ.get("DESTRA_KILLS", "5"))


def whole(*more):
    return ("sweep", scenario(SMALL), "--quiet", *more)


class Sweep(Case):
    cached = {}

    def sweep(self, *args, code=0, **more):
        return self.call(*whole(*args), code=code, **more)

    def study(self, folder):
        return cli.read(self.path(folder + "/study.h5"))

    def runs(self, folder):
        return sorted(os.listdir(self.path(folder + "/runs")))

    def reference(self):
        """study.h5 and the runs' files of a plain sweep."""
        if not self.cached:
            self.sweep("--jobs", "1", "-o", "reference")
            self.cached["study"] = self.study("reference")
            self.cached["runs"] = {name: cli.read(self.path("reference/runs/" + name))
                                   for name in self.runs("reference")}
            shutil.rmtree(self.path("reference"))
        return self.cached["study"]

    def small(self, **change):
        """A study like small.yaml in the test's folder, its scenario beside it."""
        text = cli.read(scenario(SMALL)).decode().replace("../smoke.yaml", scenario("smoke.yaml"))
        for old, new in change.pop("replace", {}).items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return self.write(change.pop("name", "study.yaml"), text)

    # ---- the same bytes ----

    def test_jobs_change_nothing(self):
        self.sweep("--jobs", "3", "-o", "d")
        self.assertEqual(self.study("d"), self.reference())
        for name, bytes_ in self.cached["runs"].items():
            self.assertEqual(cli.read(self.path("d/runs/" + name)), bytes_, name)
        self.assertEqual(self.runs("d"), [f"p{p:05d}-r{r:03d}.h5" for p in range(4) for r in range(2)])

    def test_a_run_is_what_run_makes(self):
        self.reference()
        sets = ["duration=2 epochs", "faults=[]", "expect=[safety]", "protocol.theta=0.4",
                "protocol.audit=0.05"]
        self.run_smoke("x.h5", "--seed", "2", *(a for s in sets for a in ("--set", s)))
        self.assertEqual(cli.read(self.path("x.h5")), self.cached["runs"]["p00002-r001.h5"])

    def test_shards_in_any_order(self):
        for order in ([1], [2, 1], [3, 1, 4, 2]):
            n, folder = len(order), f"s{len(order)}"
            for i, shard in enumerate(order):
                self.assertFalse(os.path.exists(self.path(folder + "/study.h5")))
                done = self.sweep("--shard", f"{shard}/{n}", "-o", folder)
                if i + 1 < n:
                    self.assertIn("this part is done", done.stdout)
            self.assertEqual(self.study(folder), self.reference())

    def test_shards_at_once(self):
        command = [cli.PROGRAM, *whole("-o", "d", "--jobs", "1")]
        parts = [subprocess.Popen([*command, "--shard", f"{i}/4"], cwd=self.folder,
                                  stdout=subprocess.PIPE, text=True) for i in (3, 1, 4, 2)]
        texts = [part.communicate(timeout=300)[0] for part in parts]
        self.assertEqual([part.returncode for part in parts], [0] * 4)
        self.assertTrue(any("results  d/study.h5" in text for text in texts), texts)
        self.assertEqual(self.study("d"), self.reference())

    def test_another_folder_and_locale(self):
        os.mkdir(self.path("deep"))
        self.call(*whole("-o", self.path("d")), code=0, cwd=self.path("deep"),
                  env={"LC_ALL": "C", "TZ": "Asia/Tokyo", "MALLOC_PERTURB_": "85"})
        self.assertEqual(self.study("d"), self.reference())
        self.assertEqual(os.listdir(self.path("deep")), [])

    def test_shared_warm_up(self):
        """Runs that go on from a shared beginning are the runs that begin on their own."""
        study = self.small(replace={
            "set: {duration: 2 epochs,": "set: {duration: 3 epochs, protocol.upgrade.epoch: 2,",
            "protocol.theta,": "protocol.upgrade.theta,", "protocol.audit,":
            "protocol.upgrade.audit,", "replications: 2": "replications: 2\nwarmup: {share: on}"})
        plain = ("sweep", study, "--quiet", "--set", "warmup.share=off")
        self.call(*plain, "-o", "plain", code=0)
        for folder, more in (("one", ["--jobs", "1"]), ("three", ["--jobs", "3"]),
                             ("parts", ["--shard", "1/2"]), ("parts", ["--shard", "2/2"])):
            self.call("sweep", study, "--quiet", "-o", folder, *more, code=0)
        os.unlink(self.path("one/runs/p00002-r001.h5"))
        os.unlink(self.path("one/runs/p00003-r001.h5"))
        self.call("sweep", study, "--quiet", "-o", "one", "--resume", code=0)
        for folder in ("one", "three", "parts"):
            self.assertEqual(self.study(folder), self.study("plain"))
            for name in self.runs("plain"):
                self.assertEqual(cli.read(self.path(f"{folder}/runs/{name}")),
                                 cli.read(self.path(f"plain/runs/{name}")), name)

    # ---- ended early ----

    def begin(self, *args):
        process = subprocess.Popen([cli.PROGRAM, *whole(*args)], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def wait_for_runs(self, folder, count, process):
        while process.poll() is None:
            try:
                if sum(name.endswith(".h5") for name in self.runs(folder)) >= count:
                    return
            except FileNotFoundError:
                pass
            time.sleep(0.002)

    def children_of(self, pid):
        found = []
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as f:
                    if entry.isdigit() and int(f.read().rpartition(")")[2].split()[1]) == pid:
                        found.append(int(entry))
            except (OSError, ValueError, IndexError):
                pass
        return found

    def test_kill_9_and_resume(self):
        self.reference()
        draw, killed = random.Random(3), 0
        for attempt in range(3 * KILLS):
            folder = f"k{attempt}"
            process = self.begin("-o", folder)
            self.wait_for_runs(folder, draw.randrange(0, 7), process)
            time.sleep(draw.uniform(0, 0.2))
            children = self.children_of(process.pid)
            process.kill()
            process.wait()
            if process.returncode != -signal.SIGKILL:
                continue
            killed += 1
            limit = time.monotonic() + 10
            while any(os.path.exists(f"/proc/{c}") for c in children):
                self.assertLess(time.monotonic(), limit, "a run outlived its sweep")
                time.sleep(0.01)
            kept = {name: os.stat(self.path(f"{folder}/runs/{name}")).st_mtime_ns
                    for name in self.runs(folder) if name.endswith(".h5")}
            self.sweep("-o", folder, "--resume")
            self.assertEqual(self.study(folder), self.cached["study"])
            self.assertEqual(self.runs(folder), sorted(self.cached["runs"]))
            for name, when in kept.items():  # what was done is not done again
                self.assertEqual(os.stat(self.path(f"{folder}/runs/{name}")).st_mtime_ns, when)
            if killed == KILLS:
                break
        self.assertEqual(killed, KILLS)

    def test_signals_end_it_in_order(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            folder = f"s{number}"
            process = self.begin("-o", folder, "--jobs", "2", "--set", "replications=20")
            self.wait_for_runs(folder, 3, process)
            process.send_signal(number)
            _, text = process.communicate(timeout=60)
            self.assertEqual(process.returncode, code)
            self.assertIn("--resume", text)
            self.assertEqual([n for n in self.runs(folder) if "partial" in n], [])
            self.assertFalse(os.path.exists(self.path(folder + "/study.h5")))

    def test_two_at_once_are_refused(self):
        process = self.begin("-o", "d", "--set", "replications=20")
        self.wait_for_runs("d", 1, process)
        done = self.sweep("-o", "d", "--resume", "--set", "replications=20", code=2)
        self.assertIn("another sweep is at work", done.stderr)
        process.kill()
        process.communicate()

    def test_a_damaged_file_is_run_again(self):
        self.reference()
        self.sweep("-o", "d")
        os.truncate(self.path("d/runs/p00001-r001.h5"), 5000)
        os.unlink(self.path("d/runs/p00002-r000.h5"))
        self.write("d/runs/p00002-r000.h5.partial", b"left by a run that died")
        done = self.call("sweep", scenario(SMALL), "-o", "d", "--resume", "--json", code=0)
        self.assertIn("p00001-r001.h5", done.stderr)
        self.assertEqual(json.loads(done.stdout)["runs_now"], 2)
        self.assertEqual(self.study("d"), self.cached["study"])
        self.assertEqual(self.runs("d"), sorted(self.cached["runs"]))

    # ---- as many runs as it takes ----

    def adaptive(self, width):
        return self.small(name=f"a{width}.yaml", replace={
            "replications: 2": "replications: {least: 2, most: 6, half_width: %s, "
                               "metric: finality_latency.mean}" % width})

    def test_replications_until_the_interval_is_narrow(self):
        study = self.adaptive("0.02")
        for jobs in ("1", "3"):
            self.call("sweep", study, "-o", jobs, "--jobs", jobs, "--quiet", code=0)
        self.assertEqual(self.study("1"), self.study("3"))
        self.assertEqual(self.runs("1"), self.runs("3"))
        with h5py.File(self.path("1/study.h5")) as f:
            done = (f["status"][()] != 0).sum(axis=1)
            metric = list(f["metric_name"].asstr()[()]).index("finality_latency.mean")
            value = f["value"][:, :, metric]
            self.assertEqual(f["status"].shape[1], done.max())
        quantile = {2: 12.706205, 3: 4.302653, 4: 3.182446, 5: 2.776445, 6: 2.570582}
        for point, count in enumerate(done):  # each stopped at the first count that was enough
            for n in range(2, count + 1):
                x = value[point, :n]
                half = quantile[n] * x.std(ddof=1) / np.sqrt(n)
                self.assertEqual(n == count, half <= 0.02 * abs(x.mean()) or n == 6, (point, n))
        self.assertEqual(len(self.runs("1")), done.sum())

    def test_replications_at_most(self):
        self.call("sweep", self.adaptive("1e-9"), "-o", "d", "--quiet", code=0)
        with h5py.File(self.path("d/study.h5")) as f:
            self.assertEqual(f["status"].shape, (4, 6))
            self.assertTrue((f["status"][()] == 1).all())

    # ---- what fails ----

    def test_a_point_that_fails_is_listed(self):
        """Two of the four points take more processor time than they may."""
        study = self.small(replace={
            "duration: 2 epochs, ": "",
            "  - {path: protocol.audit, values: [0.05, 0.3]}":
            "  - {path: duration, values: [2 epochs, 100 epochs]}"})
        args = ("sweep", study, "--quiet", "--cpu", "1 s", "--set", "replications=1")
        done = self.call(*args, "-o", "d", code=1)
        self.assertIn("FAILED: 2 runs at 2 of 4 points", done.stdout)
        self.assertIn("processor time", done.stdout)
        self.assertIn("duration", done.stdout)
        with h5py.File(self.path("d/study.h5")) as f:
            self.assertEqual(f["status"][()].tolist(), [[1], [4], [1], [4]])
            self.assertEqual(f["failure_point"][()].tolist(), [1, 3])
            self.assertIn("processor time", f["failure_text"].asstr()[0])
            self.assertTrue(np.isnan(f["value"][1]).all())
        failed = cli.read(self.path("d/runs/p00001-r000.failed")).decode()
        self.assertTrue(failed.startswith("failed\n"), failed)
        first = self.study("d")
        again = json.loads(self.call(*args, "-o", "d", "--resume", "--json", code=1).stdout)
        self.assertEqual(again["runs_now"], 0)
        self.assertEqual(len(again["failures"]), 2)
        self.assertEqual(self.study("d"), first)

    def test_all_points_fail(self):
        study = self.small(replace={"duration: 2 epochs": "duration: 100 epochs"})
        done = self.call("sweep", study, "--quiet", "--cpu", "1 s", "-o", "d", code=1)
        self.assertIn("8 runs at 4 of 4 points", done.stdout)
        with h5py.File(self.path("d/study.h5")) as f:
            self.assertTrue((f["status"][()] == 4).all())

    def test_an_expectation_is_still_data(self):
        study = self.small(replace={"expect: [safety]": "expect: [safety, epochs > 100]"})
        done = self.call("sweep", study, "--quiet", "-o", "d", code=0)
        self.assertIn("did not hold in 8 of them", done.stdout)
        with h5py.File(self.path("d/study.h5")) as f:
            self.assertTrue((f["status"][()] == 2).all())
            metric = list(f["metric_name"].asstr()[()]).index("epochs")
            self.assertTrue((f["value"][:, :, metric] == 2).all())

    def test_wrong_use(self):
        for shard in ("0/4", "5/4", "x/y", "1", "1/4/2", "-1/4", "1/0", ""):
            done = self.sweep("--shard", shard, "-o", "d", code=2)
            self.assertIn("--shard", done.stderr)
        for bad, word in (("protocol.thta", "theta"), ("nothing.at.all", "nothing")):
            study = self.small(replace={"protocol.theta, values": f"{bad}, values"})
            done = self.call("sweep", study, "-o", "d", code=2)
            self.assertRegex(done.stderr, cli.DIAGNOSTIC)
            self.assertIn(word, done.stderr)
        for values in ("[]", "[0.5, 7]"):
            study = self.small(replace={"values: [0.1, 0.4]": f"values: {values}"})
            done = self.call("sweep", study, "-o", "d", code=2)
            self.assertRegex(done.stderr, cli.DIAGNOSTIC)
        study = self.small(replace={"values: [0.1, 0.4]": "range: [0.4, 0.1]"})
        self.assertRegex(self.call("sweep", study, "-o", "d", code=2).stderr, cli.DIAGNOSTIC)
        self.assertFalse(os.path.exists(self.path("d")))

    def test_folders(self):
        self.sweep("-o", "d", "--set", "replications=1")
        done = self.sweep("-o", "d", "--set", "replications=1", code=2)
        self.assertIn("--resume", done.stderr)
        done = self.sweep("-o", "d", "--resume", code=2)
        self.assertIn("another study", done.stderr)
        self.write("file", "x")
        self.assertIn("folder", self.sweep("-o", "file", code=3).stderr)
        self.assertIn("nowhere", self.sweep("-o", "nowhere/deep/d", code=3).stderr)
        if os.geteuid() != 0:
            os.mkdir(self.path("locked"), 0o555)
            self.sweep("-o", "locked", code=3)
        else:
            self.sweep("-o", "/proc/destrasim", code=3)
        text = cli.read(self.path("d/study.yaml")).decode()
        self.write("d/study.yaml", "# destrasim 0.0.0 (other)\n" + text.partition("\n")[2])
        done = self.sweep("-o", "d", "--resume", "--set", "replications=1", code=2)
        self.assertIn("another build", done.stderr)

    def test_a_full_disk(self):
        """A file may not grow past 300 KiB, less than a run's: said, and later it goes on."""
        done = subprocess.run(["bash", "-c", 'ulimit -f 300; trap "" XFSZ; exec "$@"', "bash",
                               cli.PROGRAM, *whole("-o", "d")], cwd=self.folder, check=False,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertEqual([n for n in self.runs("d") if n.endswith((".failed", ".h5"))], [])
        self.sweep("-o", "d", "--resume")
        self.assertEqual(self.study("d"), self.reference())

    def test_the_scenario_has_changed(self):
        shutil.copytree(scenario("."), self.path("scenarios"),
                        ignore=shutil.ignore_patterns("README.md"))
        study = self.path("scenarios/" + SMALL)
        self.call("sweep", study, "--quiet", "-o", "d", code=0)
        with open(self.path("scenarios/smoke.yaml"), "a", encoding="utf-8") as f:
            f.write("  - violations == 0\n")
        self.call("sweep", study, "--quiet", "-o", "d", "--resume", code=0)  # `set` replaces it
        csv = self.path("scenarios/data/aws-regions.csv")
        text = cli.read(csv).decode()
        self.write(csv, text.rstrip("\n") + "\n# one comment more\n")
        done = self.call("sweep", study, "--quiet", "-o", "d", "--resume", code=2)
        self.assertIn("changed", done.stderr)

    # ---- what it says ----

    def test_what_it_says(self):
        done = self.call("sweep", scenario(SMALL), code=0)  # into small/
        for word in ("4 points, 8 runs", "minimise loss", "  p00000", "theta=0.1",
                     "false_fail_rate <= 0.9", "results  small/study.h5",
                     "destrasim report small/study.h5"):
            self.assertIn(word, done.stdout)
        again = json.loads(self.sweep("--resume", "--json").stdout)
        self.assertEqual((again["points"], again["runs"], again["runs_now"]), (4, 8, 0))
        best = again["objectives"][0]["best"]
        self.assertEqual(sorted(point["point"] for point in best), [0, 1, 2, 3])
        means = [point["mean"] for point in best]
        self.assertEqual(means, sorted(means))
        with h5py.File(self.path("small/study.h5")) as f:
            metric = list(f["metric_name"].asstr()[()]).index("loss")
            loss = f["value"][:, :, metric].mean(axis=1)
            self.assertAlmostEqual(loss[best[0]["point"]], means[0])
            self.assertEqual(f["x"][()].tolist(), [[0.1, 0.05], [0.1, 0.3], [0.4, 0.05], [0.4, 0.3]])
            self.assertEqual(f["seed"][()].tolist(), [1, 2])
            one = self.path("small/runs/p00003-r001.h5")
            with h5py.File(one) as run:
                self.assertEqual(f["trace_digest"].asstr()[3, 1], run.attrs["trace_digest"])
                for m, name in enumerate(f["metric_name"].asstr()[()]):
                    got = f["value"][3, 1, m]
                    if name not in run["summary"]:  # it is another run's: kinds of messages
                        self.assertTrue(np.isnan(got), name)
                        continue
                    self.assertTrue(np.array_equal(got, run["summary"][name][()], equal_nan=True),
                                    name)
                    self.assertEqual(f["metric_unit"].asstr()[m],
                                     run["summary"][name].attrs["units"])

    def test_metrics_that_are_kept(self):
        study = self.small(replace={"objectives: [minimise loss]":
                                    "objectives: [minimise loss]\nmetrics: [epochs, blocks_final]"})
        self.call("sweep", study, "--quiet", "-o", "d", code=0)
        with h5py.File(self.path("d/study.h5")) as f:
            self.assertEqual(list(f["metric_name"].asstr()[()])[:2], ["epochs", "blocks_final"])
            self.assertIn("loss", f["metric_name"].asstr()[()])
            self.assertLess(len(f["metric_name"]), 6)


if __name__ == "__main__":
    cli.main()
