"""Equal digests for gcc and clang, -O0 to -O3, and with sanitizers: six builds of the program, so it
is slow.

Two scenarios: smoke, and every kind of fault at once.  Builds go to folders below DESTRA_BUILDS when
that is set (they are reused), else to temporary ones.
"""
import os
import shutil
import subprocess
import unittest

import h5py

import cli
from cli import Case, scenario

BUILDS = {"gcc-O0": ("gcc", "-O0", ""), "gcc-O2": ("gcc", "-O2", ""), "gcc-O3": ("gcc", "-O3", ""),
          "clang-O2": ("clang", "-O2", ""), "clang-O3": ("clang", "-O3", ""),
          "gcc-sanitizers": ("gcc", "-O1", "address,undefined")}


class Builds(Case):
    def build(self, name):
        compiler, flags, sanitize = BUILDS[name]
        if shutil.which(compiler) is None:
            self.skipTest(f"{compiler} is not installed")
        place = os.path.join(os.environ.get("DESTRA_BUILDS") or self.folder, name)
        steps = [["cmake", "-S", cli.SOURCE, "-B", place, "-G", "Ninja", "-DBUILD_TESTING=OFF",
                  "-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_C_COMPILER={compiler}",
                  f"-DCMAKE_C_FLAGS={flags}", f"-DDESTRA_SANITIZE={sanitize}"],
                 ["ninja", "-C", place, "destrasim"]]
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        return os.path.join(place, "destrasim")

    def test_digests(self):
        faults = os.path.join(cli.SOURCE, "tests", "cli", "faults.yaml")
        supp = os.path.join(cli.SOURCE, "tests", "support", "lsan.supp")
        env = {"LSAN_OPTIONS": f"suppressions={supp}:print_suppressions=0"}
        digests = {"smoke": {}, "faults": {}}
        for name in BUILDS:
            program = self.build(name)
            for what, path in (("smoke", scenario("smoke.yaml")), ("faults", faults)):
                out = self.path(f"{what}-{name}.h5")
                done = self.call("run", path, "-o", out, "--quiet", "--threads", "2",
                                 program=program, env=env, code=0)
                self.assertEqual(done.stderr, "")
                with h5py.File(out) as f:
                    self.assertIn(BUILDS[name][1], str(f.attrs["build_flags"]))
                    digests[what][name] = (f.attrs["trace_digest"], f.attrs["content_digest"])
        for what, found in digests.items():
            self.assertEqual(len(found), len(BUILDS))
            self.assertEqual(len(set(found.values())), 1, (what, found))


if __name__ == "__main__":
    cli.main()
