"""kill -9 at any moment, and SIGTERM: what is left in OUT.h5.partial.

A run is done once to its end, with every event recorded.  Then it is done again and again and
killed at moments drawn from a seed, evenly over its whole length.  Each time the file must open,
every row in it must be the complete run's, and of each dimension that grows at most one flush
interval (a chunk of rows) may be missing.  What was there to be missed is known from outside: from
the height that the live progress line showed before the kill, and, between dimensions, from the
latest time that any of them holds.

    test_kill.py PROGRAM SOURCE          20 kills
    DESTRA_KILLS=100 test_kill.py ...    as in the slow test
"""
import json
import os
import pty
import random
import re
import select
import signal
import subprocess
import time
import unittest

import h5py
import numpy as np

import cli
from cli import Case

KILLS = int(os.environ.get("DESTRA_KILLS", "20"))
SLICE_S = 0.25
SCENARIO = """
# A small chain with several chunks of rows in every table.
name: kill
seed: 5
duration: 90 epochs
crypto: modelled
network: {regions: REGIONS}
nodes:
  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}
  - {name: sto, role: service, service: storage, count: 6, bond: 1000 DSYNC}
  - {name: ghost, role: service, service: storage, count: 1, bond: 1000 DSYNC, strategy: ghost}
  - {name: cli, role: client, count: 2, demand: {arrivals: poisson(0.5 /s)}}
protocol: {epoch_blocks: 6, answer_heights: 24, abandon_heights: 120, audit: 0.9}
faults:
FAULTS
record: {slice: 250 ms, trace: on}
"""
LAG = 32  # a height's row is closed when the chain is so far beyond it
# group, first dimension, rows in a chunk (sim/record/schema.c), a column that says when the row was
# closed, and its unit in seconds
TABLES = {"epochs": (16, "time_end", 1), "node_epoch": (16, None, 1),
          "blocks": (256, "committed_last", 1), "challenges": (1024, None, 1),
          "faults": (16, "end", 1), "digest": (16, "time_end", 1e-9),
          "trace": (16384, "time", 1e-9), "strategies": (256, None, 1)}


def rows(file):
    """Of each table: its columns, and how many rows all of them have."""
    out = {}
    for group in TABLES:
        columns = {n: d for n, d in file[group].items() if isinstance(d, h5py.Dataset)}
        lengths = {len(d) for d in columns.values()}
        assert len(lengths) == 1, (group, lengths)
        out[group] = (columns, lengths.pop())
    return out


class Kill(Case):
    whole = None

    def scenario(self):
        faults = [f"  - {{id: f{i}, at: {15 * i + 5} s, for: 2 s, kind: slow_cpu, nodes: 1 of val, "
                  "factor: 4}" for i in range(36)]
        regions = os.path.join(cli.SOURCE, "scenarios", "data", "aws-regions.csv")
        text = SCENARIO.lstrip().replace("REGIONS", regions).replace("FAULTS", "\n".join(faults))
        return self.write("kill.yaml", text)

    def begin(self, out):
        """A run with its progress on a terminal of ours."""
        master, slave = pty.openpty()
        process = subprocess.Popen([cli.PROGRAM, "run", self.scenario(), "--threads", "1", "-o", out,
                                    "--json"], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=slave, text=True, env={**os.environ, "TERM": "xterm"})
        os.close(slave)
        self.addCleanup(os.close, master)
        return process, master

    def complete(self):
        """The complete run's rows in memory; and how long it takes."""
        if Kill.whole is None:
            began = time.monotonic()
            self.call("run", self.scenario(), "--threads", "1", "-o", "whole.h5", "--quiet", code=0)
            took = time.monotonic() - began
            with h5py.File(self.path("whole.h5")) as f:
                tables = {g: ({n: d[()] for n, d in columns.items()}, count)
                          for g, (columns, count) in rows(f).items()}
            Kill.whole = tables, took
        return Kill.whole

    def check_rows(self, path):
        """Every row that is there is the complete run's; returns how many there are by table."""
        whole, _ = self.complete()
        counts = {}
        with h5py.File(path) as f:
            complete = f.attrs["complete"]  # 1: it was killed between the last flush and the rename
            self.assertIn("scenario", f.attrs)
            for group, (columns, count) in rows(f).items():
                self.assertEqual(set(columns), set(whole[group][0]), group)
                self.assertLessEqual(count, whole[group][1], group)
                for name, data in columns.items():
                    same = whole[group][0][name][:count]
                    self.assertTrue(np.array_equal(data[()], same, equal_nan=same.dtype.kind == "f"),
                                    f"{group}/{name}")
                counts[group] = count
        if complete:
            self.assertEqual(counts, {group: whole[group][1] for group in whole})
        return counts

    def known_by(self, group, time_s):
        """Rows of the complete run that were surely closed by then."""
        columns, _ = self.complete()[0][group]
        _, column, unit = TABLES[group]
        if column is None:
            return 0
        if group == "blocks":  # closed when a block LAG higher is final somewhere
            return max(0, int((columns["committed_first"] <= time_s).sum()) - LAG)
        if group == "epochs":  # closed when the next one's first block is
            first = columns["blocks"].cumsum().astype(int)
            return int((first < self.known_by("blocks", time_s)).sum())
        return int((columns[column] * unit < time_s - SLICE_S).sum())

    def check_missing(self, counts, seen_height):
        """At most a chunk of each dimension is missing of what had happened for certain."""
        whole, _ = self.complete()
        moment = 0.0
        if seen_height > 0:
            moment = float(whole["blocks"][0]["committed_first"][seen_height - 1])
        for group, (_, column, unit) in TABLES.items():
            if counts[group] > 0 and column is not None and group in ("digest", "trace", "blocks"):
                latest = whole[group][0][column][counts[group] - 1] * unit
                if group != "blocks":  # its last commit may be of a later time than the row
                    moment = max(moment, float(latest))
        missing = {}
        for group, (chunk, _, _) in TABLES.items():
            due = self.known_by(group, moment)
            missing[group] = due - counts[group]
            self.assertLessEqual(due - counts[group], chunk, (group, moment, counts))
        for a, b in (("epochs", "node_epoch"),):  # written in step
            self.assertEqual(counts[a], counts[b])
        return moment

    @staticmethod
    def watch(process, master, until):
        """Reads progress until that moment; the last height that it showed."""
        seen = b""
        while time.monotonic() < until and process.poll() is None:
            ready, _, _ = select.select([master], [], [], max(0, until - time.monotonic()))
            if ready:
                try:
                    seen += os.read(master, 65536)
                except OSError:
                    break
        heights = re.findall(rb"height (\d+)", seen)
        return int(heights[-1]) if heights else 0

    def kill_once(self, out, after):
        """Starts a run and kills it so many seconds after its file appeared.  None: too late."""
        process, master = self.begin(out)
        partial = self.path(out + ".partial")
        while not os.path.exists(partial) and process.poll() is None:
            time.sleep(0.001)
        height = self.watch(process, master, time.monotonic() + after)
        process.kill()
        process.communicate()
        return height if process.returncode == -signal.SIGKILL else None

    def test_kill_at_any_moment(self):
        _, took = self.complete()
        draw = random.Random(20240914)
        killed, moments, heights = 0, [], 0
        for attempt in range(4 * KILLS):
            if killed == KILLS:
                break
            out = f"k{attempt}.h5"
            height = self.kill_once(out, draw.uniform(0, took))
            if height is None:  # it had ended already: the machine is less busy than it was
                took *= 0.95
                os.unlink(self.path(out))
                continue
            killed += 1
            heights = max(heights, height)
            self.assertFalse(os.path.exists(self.path(out)))
            moments.append(self.check_missing(self.check_rows(self.path(out + ".partial")), height))
            os.unlink(self.path(out + ".partial"))
        self.assertEqual(killed, KILLS)
        # the moments were spread over the run, and progress did tell something
        end = self.complete()[0]["digest"][0]["time_end"][-1] * 1e-9
        self.assertGreater(max(moments) - min(moments), 0.4 * end)
        self.assertGreater(heights, 0)
        print(f"{killed} kills at {min(moments):.1f} to {max(moments):.1f} s of {end:.1f} s: "
              f"every file opened")

    def terminate(self, out, after):
        """Ends a run so many seconds after its file appeared; earlier when it was too late."""
        for _ in range(8):
            process, master = self.begin(out)
            while not os.path.exists(self.path(out + ".partial")) and process.poll() is None:
                time.sleep(0.001)
            self.watch(process, master, time.monotonic() + after)
            process.send_signal(signal.SIGTERM)
            text, _ = process.communicate(timeout=60)
            if process.returncode != 0:
                break
            os.unlink(self.path(out))
            after *= 0.7
        self.assertEqual(process.returncode, 143)
        return json.loads(text)

    def test_terminated_keeps_everything(self):
        """SIGTERM: whatever was closed by then is there, to the last event."""
        _, took = self.complete()
        for share in (0.1, 0.4, 0.7):
            with self.subTest(share):
                out = f"t{share}.h5"
                told = self.terminate(out, share * took)
                self.assertEqual(told["end"], "interrupted")
                self.assertFalse(os.path.exists(self.path(out)))
                with h5py.File(self.path(out + ".partial")) as f:
                    self.assertEqual(f.attrs["complete"], 0)
                    self.assertEqual(len(f["trace/time"]), told["events"])
                    self.assertEqual(f["digest/events"][-1], told["events"])
                    self.assertEqual(len(f["blocks/height"]), told["blocks_final"])
                    self.assertEqual(len(f["epochs/blocks"]), told["epochs"])
                    whole = self.complete()[0]
                    for column, data in whole["trace"][0].items():
                        count = len(f["trace/time"])
                        self.assertTrue(np.array_equal(f[f"trace/{column}"][()], data[:count]))


if __name__ == "__main__":
    cli.main()
