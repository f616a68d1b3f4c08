"""`mpirun destrasim-mpi sweep`: ranks pull points, and study.h5 is what a plain sweep writes."""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import cli
from cli import Case, scenario

MPI = os.environ.get("DESTRA_MPI", "")
SMALL = "studies/small.yaml"


@unittest.skipUnless(MPI and shutil.which("mpirun"), "no mpirun")
class Ranks(Case):
    def command(self, ranks, *args):
        return ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks), MPI, "sweep",
                scenario(SMALL), "--quiet", *args]

    def mpi(self, ranks, *args, code=0):
        command = self.command(ranks, *args)
        return self.call(*command[1:], program=command[0], code=code)

    def test_any_number_of_ranks(self):
        self.call("sweep", scenario(SMALL), "--quiet", "-o", "plain", code=0)
        plain = cli.read(self.path("plain/study.h5"))
        for ranks, jobs in ((1, 1), (3, 1), (2, 2), (6, 1)):  # 6: more than points
            folder = f"r{ranks}"
            done = self.mpi(ranks, "-o", folder, "--jobs", str(jobs))
            self.assertEqual(cli.read(self.path(folder + "/study.h5")), plain, ranks)
            self.assertEqual(done.stdout.count("4 points, 8 runs"), 1)
            for name in os.listdir(self.path("plain/runs")):
                self.assertEqual(cli.read(self.path(f"{folder}/runs/{name}")),
                                 cli.read(self.path(f"plain/runs/{name}")))

    def test_resumed(self):
        self.call("sweep", scenario(SMALL), "--quiet", "-o", "d", code=0)
        plain = cli.read(self.path("d/study.h5"))
        for name in ("p00001-r000.h5", "p00003-r001.h5"):
            os.unlink(self.path("d/runs/" + name))
        done = self.mpi(2, "-o", "d", "--resume", "--json")
        self.assertEqual(json.loads(done.stdout)["runs_now"], 2)
        self.assertEqual(cli.read(self.path("d/study.h5")), plain)

    def test_what_is_wrong_is_said_once(self):
        done = self.mpi(3, "-o", "d", "--set", "parameters[0].path=protocol.thta", code=2)
        self.assertEqual(done.stderr.count("did you mean"), 1, done.stderr)
        done = self.mpi(2, "-o", "d", "--shard", "1/2", code=2)
        self.assertEqual(done.stderr.count("--shard"), 1, done.stderr)
        self.assertFalse(os.path.exists(self.path("d")))

    def ranks_of(self, process):
        """Process ids of the program below mpirun, its runs left out."""
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                parent = int(cli.read(f"/proc/{entry}/stat").rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            if parent == process.pid and os.readlink(f"/proc/{entry}/exe") == os.path.realpath(MPI):
                found.append(int(entry))
        return sorted(found)

    def test_a_rank_that_dies_ends_the_job(self):
        process = subprocess.Popen(self.command(2, "-o", "d", "--set", "replications=12"),
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True)
        runs, limit = self.path("d/runs"), time.monotonic() + 60
        while not (os.path.isdir(runs) and len(os.listdir(runs)) > 4):
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.05)
        os.kill(self.ranks_of(process)[-1], signal.SIGKILL)
        _, text = process.communicate(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("signal", text)
        self.assertFalse(os.path.exists(self.path("d/study.h5")))
        self.mpi(2, "-o", "d", "--resume", "--set", "replications=12")
        self.call("sweep", scenario(SMALL), "--quiet", "-o", "e", "--set", "replications=12",
                  code=0)
        self.assertEqual(cli.read(self.path("d/study.h5")), cli.read(self.path("e/study.h5")))


if __name__ == "__main__":
    cli.main()
