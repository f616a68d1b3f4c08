"""The same bytes whatever surrounds a run: threads, folder, time zone, locale, heap, addresses, memo;
and a planted dependence on the process, which `verify` must find."""
import os
import re
import shutil
import subprocess
import unittest

import h5py
import numpy as np

from cli import Case, read, scenario
import cli


class Determinism(Case):
    @classmethod
    def setUpClass(cls):
        cls.first = None

    def first_bytes(self):
        if Determinism.first is None:
            self.run_smoke("first.h5", "--threads", "1")
            Determinism.first = read(self.path("first.h5"))
        return Determinism.first

    def same(self, *args, **how):
        expected = self.first_bytes()
        self.run_smoke(self.path("x.h5"), *args, **how)
        self.assertTrue(read(self.path("x.h5")) == expected, "other bytes")

    def test_once_more(self):
        self.same("--threads", "1")

    def test_threads(self):
        for threads in ("2", "3", "7"):
            with self.subTest(threads):
                self.same("--threads", threads)

    def test_another_folder(self):
        os.mkdir(self.path("deep"))
        self.same("--threads", "2", cwd=self.path("deep"))

    def test_another_way_to_name_the_scenario(self):
        expected = self.first_bytes()
        self.call("run", "scenarios/../scenarios/smoke.yaml", "-o", self.path("x.h5"), "--quiet",
                  cwd=cli.SOURCE, code=0)
        self.assertTrue(read(self.path("x.h5")) == expected, "other bytes")

    def test_environment(self):
        for env in ({"TZ": "Pacific/Chatham"}, {"TZ": "UTC"}, {"LC_ALL": "de_DE.UTF-8"},
                    {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}, {"LC_ALL": "C.UTF-8"},
                    {"MALLOC_PERTURB_": "85"}, {"MALLOC_PERTURB_": "170", "MALLOC_ARENA_MAX": "1"},
                    {"OMP_NUM_THREADS": "5", "OMP_DYNAMIC": "true"}, {"HOME": "/nonexistent"}):
            with self.subTest(env):
                self.same("--threads", "2", env=env)

    def test_shell_variables_gone(self):
        expected = self.first_bytes()
        keep = {k: "" for k in os.environ if k not in ("LD_LIBRARY_PATH",)}
        self.run_smoke(self.path("x.h5"), env=keep)
        self.assertTrue(read(self.path("x.h5")) == expected, "other bytes")

    def test_nothing_of_the_machine_is_stored(self):
        expected = self.first_bytes()
        for word in (self.folder, cli.SOURCE, "/tmp/"):
            self.assertFalse(word.encode() in expected, word)

    def test_memo_off(self):
        """The scenario says so, and so the embedded text differs; no number and no event does."""
        expected = self.first_bytes()
        self.write("a.h5", expected)
        self.run_smoke("b.h5", "--set", "memo=off")
        with h5py.File(self.path("a.h5")) as a, h5py.File(self.path("b.h5")) as b:
            self.assertEqual(a.attrs["trace_digest"], b.attrs["trace_digest"])
            compared = []

            def visit(name, item):
                if isinstance(item, h5py.Dataset):
                    x, y = item[()], b[name][()]
                    equal_nan = np.asarray(x).dtype.kind == "f"
                    self.assertTrue(np.array_equal(x, y, equal_nan=equal_nan), name)
                    compared.append(name)
            a.visititems(visit)
            self.assertGreater(len(compared), 80)

    def test_addresses_that_stay(self):
        """Without randomised addresses (setarch -R), where the machine lets us, and with them."""
        setarch = shutil.which("setarch")
        allowed = setarch is not None and subprocess.run(
            [setarch, "-R", "true"], capture_output=True, check=False).returncode == 0
        if not allowed:
            self.skipTest("setarch -R is not there or not permitted")
        expected = self.first_bytes()
        for _ in range(2):
            done = subprocess.run([setarch, "-R", cli.PROGRAM, "run", scenario("smoke.yaml"), "-o",
                                   self.path("x.h5"), "--quiet", "--threads", "3"],
                                  cwd=self.folder, capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(read(self.path("x.h5")) == expected, "other bytes")

    def test_trace_on_changes_no_event(self):
        expected = self.first_bytes()
        self.write("a.h5", expected)
        self.run_smoke("b.h5", "--set", "record.trace=on")
        with h5py.File(self.path("a.h5")) as a, h5py.File(self.path("b.h5")) as b:
            self.assertEqual(a.attrs["trace_digest"], b.attrs["trace_digest"])
            self.assertEqual(len(a["trace/time"]) if "trace" in a else 0, 0)
            self.assertGreater(len(b["trace/time"]), 1000)


class Faults(Case):
    """The same under every kind of fault at once (faults.yaml)."""
    first = None

    def run_faults(self, out, *args, **how):
        here = os.path.join(cli.SOURCE, "tests", "cli", "faults.yaml")
        return self.call("run", here, "-o", self.path(out), "--quiet", *args, code=0, **how)

    def first_bytes(self):
        if Faults.first is None:
            self.run_faults("first.h5", "--threads", "1")
            Faults.first = read(self.path("first.h5"))
        return Faults.first

    def test_every_kind_is_in_it(self):
        """And began at least once, so that a new kind without a line in faults.yaml is noticed."""
        self.write("x.h5", self.first_bytes())
        with h5py.File(self.path("x.h5")) as f:
            kinds = f["faults/kind"].attrs["flag_meanings"].split()
            executed = {kinds[k] for k in f["faults/kind"][:]}
        known = re.findall(r"^  (\w+) ", self.call("list", "faults", code=0).stdout, re.M)
        self.assertEqual(set(known) - executed, set())

    def test_threads_processes_and_surroundings(self):
        expected = self.first_bytes()
        os.mkdir(self.path("deep"))
        for args, how in ((["1"], {}), (["2"], {}), (["3"], {}), (["7"], {}),
                          (["2"], {"cwd": self.path("deep")}),
                          (["3"], {"env": {"MALLOC_PERTURB_": "85", "TZ": "Asia/Kathmandu"}}),
                          (["2"], {"env": {"LC_ALL": "tr_TR.UTF-8", "MALLOC_ARENA_MAX": "1"}})):
            with self.subTest(args=args, how=how):
                self.run_faults("x.h5", "--threads", *args, **how)
                self.assertTrue(read(self.path("x.h5")) == expected, "other bytes")

    def test_memo_off(self):
        self.write("a.h5", self.first_bytes())
        self.run_faults("b.h5", "--set", "memo=off")
        with h5py.File(self.path("a.h5")) as a, h5py.File(self.path("b.h5")) as b:
            self.assertEqual(a.attrs["trace_digest"], b.attrs["trace_digest"])

    def test_verified(self):
        self.write("a.h5", self.first_bytes())
        self.assertIn("verified", self.call("verify", "a.h5", "--quiet", code=0).stdout)


class Planted(Case):
    """A program with bugs compiled in (DESTRA_MUTANTS names it): every sixteenth event of a node,
    where it is a message, comes some nanoseconds later, by the process' number.  `verify` finds the first such message."""
    def setUp(self):
        super().setUp()
        self.mutants = os.environ.get("DESTRA_MUTANTS")
        if not self.mutants or not os.path.exists(self.mutants):
            self.skipTest("no program with mutants was built")

    def planted(self, *args):
        """What verify says of a run whose every event depends on its process; other numbers may
        agree in what counts of them, hence several tries."""
        for _ in range(5):
            self.run_smoke("x.h5", "--set", "protocol.mutant=nondeterminism", *args,
                            program=self.mutants)
            done = self.call("verify", "x.h5", "--quiet", program=self.mutants)
            if done.returncode == 1:
                return done.stdout
        self.fail("verify found nothing in five runs")

    EVENT = (r"\w+ at node (\d+) \((\S+)\), (\d+\.\d{9}) s, caused by node (\d+) \(\S+\), "
             r"sequence (\d+)\n(?: {6}(.+)\n)?")

    def check(self, text, first, second):
        found = re.search(rf"  node: (\d+) .*\n  {first} {self.EVENT}  {second} {self.EVENT}", text)
        self.assertIsNotNone(found, text)
        node, one, other = found[1], found.groups()[1:7], found.groups()[7:13]
        self.assertEqual({node}, {one[0], other[0]})
        self.assertEqual(one[4], other[4])  # the same event: source and sequence
        self.assertEqual(one[3], other[3])
        self.assertEqual(int(one[4]) % 16, 15)  # and the planted one
        self.assertNotEqual(one[2], other[2])  # at another time
        self.assertLess(abs(float(one[2]) - float(other[2])), 5e-6)
        return one, other

    def test_verify_names_the_event_from_two_processes(self):
        text = self.planted()
        self.assertIn("this program does not do the same twice", text)
        one, other = self.check(text, "event in (?:one run|the file):",
                                "event in the (?:other|new run):")
        self.assertEqual(one[5], other[5])  # what it says is the same

    def test_verify_names_the_event_of_the_file_too(self):
        text = self.planted("--set", "record.trace=on")
        one, _ = self.check(text, "event in the file:", "event in the new run:")
        with h5py.File(self.path("x.h5")) as f:
            self.assertIn(round(float(one[2]) * 1e9), f["trace/time"][:])


if __name__ == "__main__":
    cli.main()
