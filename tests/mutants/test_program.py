"""`destrasim twins` and the program with bugs compiled in, as a user types them."""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import cli
from cli import Case, scenario

TIMED = ("seconds",)


class Twins(Case):
    def twins(self, *args, code=0):
        return self.call("twins", *args, code=code)

    def result(self, *args, code=0):
        found = json.loads(self.twins("--json", *args, code=code).stdout)
        return {k: v for k, v in found.items() if k not in TIMED}

    def test_count(self):
        self.assertEqual(self.twins("--count").stdout, "262144\n")
        self.assertEqual(self.twins("--validators", "7", "--rounds", "2", "--count").stdout,
                         f"{(7 * 2 ** 8) ** 2}\n")
        done = self.twins("--validators", "7", "--rounds", "6", code=2)
        self.assertIn("fewer rounds", done.stderr)

    def test_jobs(self):
        """Sums and the first failure are those of one process."""
        one = self.result("--sample", "400")
        self.assertTrue(one["good"])
        self.assertEqual(one["runs"], 400)
        self.assertEqual(one, self.result("--sample", "400", "--jobs", "3"))
        args = ("--sample", "2000", "--mutant", "quorum_small")
        one = self.result(*args, code=1)
        self.assertFalse(one["good"])
        self.assertEqual(one["first"], self.result(*args, "--jobs", "3", code=1)["first"])

    def test_again(self):
        """What a failure says to type shows it."""
        found = self.result("--sample", "2000", "--mutant", "no_lock", code=1)["first"]
        again = self.call(*found["again"].split()[1:], code=1).stdout
        self.assertIn(found["what"], again)
        self.assertIn(found["schedule"], again)
        self.assertIn("votes B", again)
        good = self.twins("--only", str(found["number"])).stdout
        self.assertTrue(good.endswith("good\n"), good)

    def test_resume(self):
        """Stopped by a signal and gone on with, it gives what one go gives."""
        args = ["--sample", "6000", "--json", "--resume", "far.txt"]
        running = subprocess.Popen([cli.PROGRAM, "twins", *args, "--jobs", "2"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
        self.assertIn(running.returncode, (0, 143))
        if running.returncode == 143:
            with open(self.path("far.txt"), encoding="utf-8") as f:
                self.assertIn("sample=6000", f.read())
        self.assertEqual(self.result(*args[:2], "--resume", "far.txt"),
                         self.result("--sample", "6000"))
        done = self.twins("--sample", "6001", "--resume", "far.txt", code=2)
        self.assertIn("other settings", done.stderr)
        self.write("far.txt", "something else\n")
        self.twins("--sample", "6000", "--resume", "far.txt", code=2)


class Mutants(Case):
    def test_names(self):
        done = self.call("twins", "--mutant", "no_lok", code=2)
        self.assertIn("no_lock", done.stderr)
        done = self.call("run", scenario("smoke.yaml"), "--set", "protocol.mutant=no_lok", code=2)
        self.assertIn("no_lock", done.stderr)

    def test_none(self):
        """With none of its bugs it does what the ordinary program does."""
        digest = [line for line in self.run_smoke("a.h5", "--until", "30 s").stdout.split("\n")
                  if "trace digest" in line][0].split()[-1]
        ordinary = os.environ["DESTRASIM"]
        done = self.call("run", scenario("smoke.yaml"), "-o", "b.h5", "--quiet", "--until", "30 s",
                         code=0, program=ordinary)
        self.assertIn(digest, done.stdout)

    def test_nondeterminism(self):
        """The planted one is found, and its event named."""
        self.run_smoke("a.h5", "--until", "20 s", "--set", "protocol.mutant=nondeterminism")
        done = self.call("verify", "a.h5", code=1)
        said = done.stdout + done.stderr
        self.assertIn("first difference", said)
        self.assertIn("event in one run", said)


if __name__ == "__main__":
    cli.main()
