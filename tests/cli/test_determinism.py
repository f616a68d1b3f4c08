"""The same bytes whatever surrounds a run: threads, folder, time zone, locale, heap, memo."""
import os
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

    def test_trace_on_changes_no_event(self):
        expected = self.first_bytes()
        self.write("a.h5", expected)
        self.run_smoke("b.h5", "--set", "record.trace=on")
        with h5py.File(self.path("a.h5")) as a, h5py.File(self.path("b.h5")) as b:
            self.assertEqual(a.attrs["trace_digest"], b.attrs["trace_digest"])
            self.assertEqual(len(a["trace/time"]) if "trace" in a else 0, 0)
            self.assertGreater(len(b["trace/time"]), 1000)


if __name__ == "__main__":
    cli.main()
