"""What the tests of the program share: it is called as a user would, in a folder of its own.

    test_x.py PROGRAM SOURCE [unittest arguments]

Exit codes: 0 fine, 1 a test failed (or there was none), 77 everything was skipped.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = SOURCE = ""
DIAGNOSTIC = re.compile(r"^([^:\n]+):(\d+):(\d+): error: (.+)$", re.M)


class Case(unittest.TestCase):
    """Each test has an empty working folder, self.folder."""
    maxDiff = None

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="destrasim-cli-")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        mode = "wb" if isinstance(content, bytes) else "w"
        with open(self.path(name), mode) as f:
            f.write(content)
        return self.path(name)

    def call(self, *args, code=None, env=None, cwd=None, program=None, timeout=300):
        """Runs it to the end; with code, that must be its exit code."""
        done = subprocess.run([program or PROGRAM, *args], capture_output=True, text=True,
                              cwd=cwd or self.folder, env={**os.environ, **(env or {})},
                              stdin=subprocess.DEVNULL, timeout=timeout, check=False)
        if code is not None:
            self.assertEqual(done.returncode, code, f"{args}\n{done.stdout}\n{done.stderr}")
        return done

    def run_smoke(self, out, *args, code=0, **more):
        done = self.call("run", scenario("smoke.yaml"), "-o", out, "--quiet", *args, code=code,
                         **more)
        self.assertEqual(done.stderr, "")
        return done

    def no_results(self, *kept):
        """Nothing but what the test itself put there."""
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(kept))


def scenario(name):
    return os.path.join(SOURCE, "scenarios", name)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def main():
    module = sys.modules["__main__"]
    globals().update(PROGRAM=os.path.abspath(sys.argv[1]), SOURCE=os.path.abspath(sys.argv[2]))
    run = unittest.main(module=module, argv=[sys.argv[0], *sys.argv[3:]], exit=False).result
    if run.testsRun == 0 or not run.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if len(run.skipped) == run.testsRun else 0)
