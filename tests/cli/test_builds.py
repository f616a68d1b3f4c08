"""Equal digests for gcc -O0, gcc -O3 and clang -O2: three builds of the program, so it is slow.

Builds go to folders below DESTRA_BUILDS when that is set (they are reused), else to temporary ones.
"""
import os
import shutil
import subprocess
import unittest

import h5py

import cli
from cli import Case

BUILDS = {"gcc-O0": ("gcc", "-O0"), "gcc-O3": ("gcc", "-O3"), "clang-O2": ("clang", "-O2")}


class Builds(Case):
    def build(self, name):
        compiler, flags = BUILDS[name]
        if shutil.which(compiler) is None:
            self.skipTest(f"{compiler} is not installed")
        place = os.path.join(os.environ.get("DESTRA_BUILDS") or self.folder, name)
        steps = [["cmake", "-S", cli.SOURCE, "-B", place, "-G", "Ninja", "-DBUILD_TESTING=OFF",
                  "-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_C_COMPILER={compiler}",
                  f"-DCMAKE_C_FLAGS={flags}"],
                 ["ninja", "-C", place, "destrasim"]]
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        return os.path.join(place, "destrasim")

    def test_digests(self):
        digests = {}
        for name in BUILDS:
            out = self.path(f"{name}.h5")
            self.run_smoke(out, program=self.build(name))
            with h5py.File(out) as f:
                self.assertIn(BUILDS[name][1], str(f.attrs["build_flags"]))
                digests[name] = (f.attrs["trace_digest"], f.attrs["content_digest"])
        self.assertEqual(len(digests), 3)
        self.assertEqual(len(set(digests.values())), 1, digests)


if __name__ == "__main__":
    cli.main()
