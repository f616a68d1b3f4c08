"""Runs as a user sees them: files, summaries, signals, full disks, verify."""
import ctypes
import errno
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
import unittest

import h5py

import cli
from cli import Case, read, scenario

LONG = ("--set", "duration=100000 epochs", "--set", "max_time=8700 h")  # smoke, until it is stopped


def attribute(path, name):
    with h5py.File(path) as f:
        value = f.attrs[name]
    return value.decode() if isinstance(value, bytes) else value


class Output(Case):
    def test_default_name_and_summary(self):
        done = self.call("run", scenario("smoke.yaml"), code=0)
        self.no_results("smoke-1.h5")
        for word in ("smoke, seed 1", "12 validators, 30 service nodes, 6 clients", "virtual time",
                     "final blocks", "Theta 0.3", "challenges", "ghost", "partial", "washer",
                     "of all bytes", "loss", "4 of 4 expectations held", "Invariants  hold",
                     "smoke-1.h5", attribute(self.path("smoke-1.h5"), "trace_digest")):
            self.assertIn(word, done.stdout)
        self.assertLessEqual(len(done.stdout.splitlines()), 25)  # one screen
        self.assertNotIn("\033", done.stdout)
        self.assertNotIn("nan", done.stdout)

    def test_seed_changes_the_name_and_the_run(self):
        self.call("run", scenario("smoke.yaml"), "--seed", "2", "--until", "10 s")
        self.call("run", scenario("smoke.yaml"), "--until", "10 s")
        self.no_results("smoke-1.h5", "smoke-2.h5")
        digests = {attribute(self.path(f"smoke-{n}.h5"), "trace_digest") for n in (1, 2)}
        self.assertEqual(len(digests), 2)
        self.assertEqual(attribute(self.path("smoke-2.h5"), "seed"), 2)
        self.assertIn("seed: 2\n", attribute(self.path("smoke-2.h5"), "scenario"))

    def test_json(self):
        done = self.run_smoke("x.h5", "--json")
        data = json.loads(done.stdout)
        self.assertEqual(data["end"], "done")
        self.assertEqual(data["epochs"], 5)
        self.assertIs(data["invariants_held"], True)
        self.assertIsNone(data["violation"])
        self.assertEqual([e["held"] for e in data["expectations"]], [True] * 4)
        self.assertEqual(data["trace_digest"], attribute(self.path("x.h5"), "trace_digest"))
        self.assertEqual(data["content_digest"], attribute(self.path("x.h5"), "content_digest"))
        with h5py.File(self.path("x.h5")) as f:
            self.assertEqual(set(f["summary"]) - set(data), set())
            for name, item in f["summary"].items():
                stored = item[()]
                if stored == stored:
                    self.assertEqual(data[name], stored, name)
                else:
                    self.assertIsNone(data[name], name)

    def test_an_expectation_that_fails(self):
        self.write("s.yaml", read(scenario("smoke.yaml")) + b"  - blocks_final > 1000000\n")
        os.symlink(os.path.join(cli.SOURCE, "scenarios", "data"), self.path("data"))
        done = self.call("run", "s.yaml", "-o", "x.h5", "--quiet", code=1)
        self.assertIn("4 of 5 expectations held", done.stdout)
        self.assertRegex(done.stdout, r"FAILED +blocks_final > 1000000 +\(it is 60\)")
        self.assertEqual(attribute(self.path("x.h5"), "complete"), 1)

    def test_a_directory_as_output(self):
        done = self.call("run", scenario("smoke.yaml"), "-o", self.folder, code=2)
        self.assertIn("is a directory", done.stderr)
        self.no_results()

    def test_a_missing_folder_as_output(self):
        done = self.call("run", scenario("smoke.yaml"), "-o", "absent/x.h5", code=2)
        self.assertIn("absent", done.stderr)
        self.no_results()

    def test_the_scenario_as_output(self):
        self.write("s.yaml", "name: x\n")
        self.call("run", "s.yaml", "-o", "s.yaml", code=2)
        self.assertEqual(read(self.path("s.yaml")), b"name: x\n")

    def test_an_older_result_is_replaced(self):
        self.write("x.h5", "old")
        self.run_smoke("x.h5", "--until", "5 s", code=None)
        self.assertEqual(attribute(self.path("x.h5"), "complete"), 1)
        self.no_results("x.h5")

    def test_until(self):
        data = json.loads(self.run_smoke("x.h5", "--until", "20 s", "--json", code=None).stdout)
        self.assertEqual(data["end"], "until")
        self.assertLessEqual(data["virtual_seconds"], 20)
        self.assertEqual(attribute(self.path("x.h5"), "complete"), 1)
        self.call("verify", "x.h5", "--quiet", code=0)

    def test_opens_everywhere(self):
        self.run_smoke("x.h5")
        script = os.path.join(cli.SOURCE, "tests", "record", "open_everywhere.py")
        done = subprocess.run([sys.executable, "-B", script, self.path("x.h5")],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Progress(Case):
    def test_plain_lines_elsewhere(self):
        # 11 s would be needed to see one: that there are none before is what is checked
        done = self.call("run", scenario("smoke.yaml"), "--until", "20 s")
        self.assertEqual(done.stderr, "")

    def on_terminal(self, *args, **env):
        try:
            master, slave = pty.openpty()
        except OSError as why:  # a container without /dev/pts
            self.skipTest(str(why))
        termios.tcsetwinsize(slave, (24, 120))
        process = subprocess.Popen([cli.PROGRAM, *args], stderr=slave, stdout=subprocess.PIPE,
                                   cwd=self.folder, text=True,
                                   env={**os.environ, "TERM": "xterm", **env})
        os.close(slave)
        seen, sent = b"", False
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError as e:
                self.assertEqual(e.errno, errno.EIO)
                break
            if not chunk:
                break
            seen += chunk
            if b"virtual" in seen and not sent:
                process.send_signal(signal.SIGINT)
                sent = True
        process.communicate(timeout=60)
        os.close(master)
        return process.returncode, seen.decode()

    def test_a_live_line_on_a_terminal(self):
        code, text = self.on_terminal("run", scenario("smoke.yaml"), *LONG, "-o", "x.h5")
        self.assertEqual(code, 130)
        self.assertRegex(text, r"\r\033\[K.* virtual at .* x real time, epoch \d+ of 100000, "
                               r"height \d+.*, .* events/s")
        self.assertTrue(text.endswith("\r\033[K"), repr(text[-40:]))  # and it is gone at the end

    def test_colours_and_no_color(self):
        code, text = self.on_terminal("run", "absent.yaml")
        self.assertEqual(code, 3)
        self.assertIn("\033[1;31m", text)
        _, text = self.on_terminal("run", "absent.yaml", NO_COLOR="1")
        self.assertNotIn("\033", text)


class Signals(Case):
    def interrupt(self, number):
        process = subprocess.Popen([cli.PROGRAM, "run", scenario("smoke.yaml"), *LONG, "-o", "x.h5",
                                    "--quiet", "--json"], cwd=self.folder, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while (not os.path.exists(self.path("x.h5.partial")) and process.poll() is None
               and time.monotonic() < deadline):
            time.sleep(0.02)
        time.sleep(0.7)  # somewhere in the middle
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + number, err)
        self.no_results("x.h5.partial")
        self.assertEqual(attribute(self.path("x.h5.partial"), "complete"), 0)
        with h5py.File(self.path("x.h5.partial")) as f:
            self.assertGreater(len(f["epochs/blocks"][:]), 0)
            self.assertTrue((f["epochs/blocks"][:] > 0).all())
        self.assertEqual(json.loads(out)["end"], "interrupted")
        return err

    def test_interrupt(self):
        self.interrupt(signal.SIGINT)

    def test_terminate(self):
        self.interrupt(signal.SIGTERM)

    def test_a_partial_file_cannot_be_verified(self):
        self.interrupt(signal.SIGINT)
        done = self.call("verify", "x.h5.partial", code=2)
        self.assertIn("complete = 0", done.stderr)
        self.no_results("x.h5.partial")


class FullDisk(Case):
    """On a tmpfs of a few hundred KiB, where the machine lets us mount one."""
    def mount(self, size):
        libc = ctypes.CDLL(None, use_errno=True)
        place = self.path("disk" + size)
        os.mkdir(place)
        if libc.mount(b"tmpfs", place.encode(), b"tmpfs", 0, f"size={size}".encode()) != 0:
            self.skipTest(f"cannot mount a tmpfs: {os.strerror(ctypes.get_errno())}")
        return place

    @staticmethod
    def unmount(place):
        if os.path.ismount(place):
            ctypes.CDLL(None).umount2(place.encode(), 2)

    def test_partial_file_is_kept_and_readable(self):
        for size in ("300k", "600k", "800k"):
            with self.subTest(size):
                place = self.mount(size)
                self.addCleanup(self.unmount, place)
                done = self.call("run", scenario("smoke.yaml"), *LONG, "--quiet", "-o",
                                 os.path.join(place, "x.h5"), code=3)
                self.assertIn("No space left on device", done.stderr)
                self.assertEqual(os.listdir(place), ["x.h5.partial"])
                self.assertEqual(attribute(os.path.join(place, "x.h5.partial"), "complete"), 0)
                self.unmount(place)


class Verify(Case):
    def verify(self, path, code):
        done = self.call("verify", path, "--quiet", code=code)
        self.assertEqual([n for n in os.listdir(self.folder) if "verify" in n], [])
        return done.stdout

    def edit(self, path, change):
        with h5py.File(self.path(path), "r+") as f:
            change(f)

    def test_a_good_file_needs_nothing_else(self):
        self.run_smoke("x.h5")
        os.mkdir(self.path("elsewhere"))
        shutil.move(self.path("x.h5"), self.path("elsewhere/y.h5"))
        done = self.call("verify", "elsewhere/y.h5", "--threads", "3", code=0)
        self.assertIn("verified", done.stdout)
        self.assertEqual(os.listdir(self.path("elsewhere")), ["y.h5"])

    def test_from_a_folder_that_cannot_be_written_to(self):
        self.run_smoke("x.h5", "--until", "5 s", code=None)
        if os.geteuid() == 0:
            self.skipTest("root writes everywhere")
        os.chmod(self.folder, 0o500)
        self.verify("x.h5", 0)
        os.chmod(self.folder, 0o700)

    def test_a_number_that_was_edited(self):
        self.run_smoke("x.h5")

        def change(f):
            f["epochs/bytes"][2] += 1
        self.edit("x.h5", change)
        text = self.verify("x.h5", 1)
        self.assertIn("DIFFERS", text)
        self.assertIn("changed after it was written", text)
        self.assertIn("first difference: /epochs/bytes, row 2", text)

    def test_a_digest_that_was_edited(self):
        self.run_smoke("x.h5")

        def change(f):
            f["digest/digest"][4:, 17] += 1
        self.edit("x.h5", change)
        text = self.verify("x.h5", 1)
        self.assertIn("slice 4 of /digest (40 s to 50 s), 1 of 48 nodes", text)
        self.assertIn("node: 17 (sto[5])", text)

    def other_run(self, *trace):
        """The file of one run with the scenario of another, which differs from 30 s on."""
        self.run_smoke("x.h5", *trace)
        self.run_smoke("other.h5", *trace, "--set", "faults.busy.factor=9")
        text = attribute(self.path("other.h5"), "scenario")
        self.edit("x.h5", lambda f: f.attrs.modify("scenario", text))
        return self.verify("x.h5", 1)

    def test_another_run_first_epoch_node_and_event(self):
        text = self.other_run()
        self.assertIn("slice 3 of /digest (30 s to 40 s)", text)
        self.assertRegex(text, r"\n  epoch: \d+\n  node: \d+ \(\w+\[\d+\]\)\n  event")

    def test_a_node_that_went_silent(self):
        """A digest that the node had earlier in the slice tells the first event that is missing."""
        self.run_smoke("x.h5")
        self.run_smoke("trace.h5", "--set", "record.trace=on")
        with h5py.File(self.path("trace.h5")) as f:
            at = ((f["trace/node"][:] == 17) & (f["trace/time"][:] >= 40e9)).nonzero()[0]
            self.assertLess(f["trace/time"][at[5]], 50e9)
            digest, missing = f["trace/digest"][at[4]], f["trace/time"][at[5]]
            sequence = f["trace/sequence"][at[5]]

        def change(f):
            f["digest/digest"][4:, 17] = digest
        self.edit("x.h5", change)
        self.assertRegex(self.verify("x.h5", 1),
                         r"event that the file's run lacks: \w+ at node 17 \(sto\[5\]\), "
                         rf"{missing // 10**9}\.{missing % 10**9:09} s, .*, sequence {sequence}\n")

    def test_another_run_with_traces_names_the_very_event(self):
        text = self.other_run("--set", "record.trace=on")
        where = re.search(r"epoch: (\d+)\n  node: (\d+) \((.+)\)\n"
                          r"  event in the file: (\w+) at node (\d+) \(\S+\), (\d+\.\d+) s, caused "
                          r"by node (\d+) \(\S+\), sequence (\d+)\n(?:      .+\n)?"
                          r"  event in the new run: ", text)
        self.assertIsNotNone(where, text)
        # the same by other means
        with h5py.File(self.path("x.h5")) as a, h5py.File(self.path("other.h5")) as b:
            columns = ("time", "node", "source", "sequence", "kind", "digest")
            rows = min(len(a["trace/time"]), len(b["trace/time"]))
            differ = sum(a[f"trace/{c}"][:rows] != b[f"trace/{c}"][:rows] for c in columns)
            first = differ.nonzero()[0][0]
            self.assertGreaterEqual(min(a["trace/time"][first], b["trace/time"][first]), 30e9)
            self.assertEqual(int(where.group(5)), a["trace/node"][first])
            self.assertEqual(int(where.group(7)), a["trace/source"][first])
            self.assertEqual(int(where.group(8)), a["trace/sequence"][first])
            self.assertAlmostEqual(float(where.group(6)), a["trace/time"][first] * 1e-9, places=8)


if __name__ == "__main__":
    cli.main()
