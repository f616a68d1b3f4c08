#!/usr/bin/python3
"""Opens a results file with h5dump, ncdump, h5py and xarray (netcdf4, h5netcdf) and compares what
they see: open_everywhere.py [--synthetic] OUT.h5.  With --synthetic the values are compared with
those that tests/record/synthetic.h writes.  Exit 0 fine, 1 something differs, 77 a tool is missing.
"""
import shutil
import subprocess
import sys

try:
    import h5py
    import numpy as np
    import xarray as xr
    import netCDF4  # noqa: F401 (xarray's engines)
    import h5netcdf  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ENGINES = ("netcdf4", "h5netcdf")
ROOT_ATTRIBUTES = ("title", "Conventions", "destrasim_version", "scenario", "seed", "trace_digest",
                   "content_digest", "complete")
UNITS = ("1", "s", "ns", "By", "nDSYNC")  # /summary may use others
problems = []


def expect(good, what):
    if not good:
        problems.append(what)


def run_tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(done.returncode == 0 and not done.stderr, f"{' '.join(command)}: {done.returncode} {done.stderr[:500]}")
    return done.stdout


def datasets(file):
    """path -> h5py dataset, without the dimensions themselves"""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.attrs.get("CLASS") != b"DIMENSION_SCALE":
            found[name] = item
    file.visititems(visit)
    return found


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return np.array_equal(a.astype(float), b.astype(float), equal_nan=True)
    return np.array_equal(a, b)


def text(values):
    return np.array([v.decode() if isinstance(v, bytes) else v for v in np.ravel(values)], dtype=object)


def check_h5py(path):
    with h5py.File(path, "r") as file:
        for name in ROOT_ATTRIBUTES:
            expect(name in file.attrs, f"h5py: no root attribute {name}")
        for name, item in datasets(file).items():
            for attribute in ("units", "long_name"):
                expect(isinstance(item.attrs.get(attribute), str), f"h5py: {name} has no {attribute}")
            expect(name.startswith("summary/") or item.attrs.get("units") in UNITS, f"h5py: {name} units")
            for axis, dim in enumerate(item.dims):
                expect(len(dim) == 1, f"h5py: {name} axis {axis} has {len(dim)} scales")
                expect(len(dim) == 1 and dim[0].shape[0] == item.shape[axis], f"h5py: {name} axis {axis} length")
            if item.chunks is not None:
                expect(np.prod(item.chunks) * item.dtype.itemsize <= 1 << 20, f"h5py: {name} chunk too large")
            if "flag_meanings" in item.attrs:
                values = item.attrs.get("flag_values", item.attrs.get("flag_masks"))
                expect(values is not None and values.dtype == item.dtype, f"h5py: {name} flag type")
                expect(len(item.attrs["flag_meanings"].split(" ")) == len(values), f"h5py: {name} flags")
                if "flag_values" in item.attrs and item.size and "--synthetic" not in sys.argv:
                    expect(np.isin(item[...], values).all(), f"h5py: {name} holds a value without meaning")


def check_xarray(path):
    with h5py.File(path, "r") as file:
        found = datasets(file)
        groups = sorted({name.rpartition("/")[0] for name in found})
        for engine in ENGINES:
            for group in groups:
                with xr.open_dataset(path, engine=engine, group=group or None) as data:
                    compare_group(engine, group, data, found)
    return groups


def compare_group(engine, group, data, found):
    mine = {name.rpartition("/")[2]: item for name, item in found.items() if name.rpartition("/")[0] == group}
    expect(set(data.variables) == set(mine), f"{engine}: /{group} has {sorted(set(data.variables) ^ set(mine))}")
    for name, item in mine.items():
        if name not in data.variables:
            continue
        seen = data.variables[name]
        dims = tuple(dim[0].name.lstrip("/") for dim in item.dims)
        expect(seen.dims == dims, f"{engine}: /{group}/{name} dims {seen.dims}, not {dims}")
        expect(seen.attrs.get("units") == item.attrs.get("units"), f"{engine}: /{group}/{name} units")
        expect(seen.attrs.get("long_name") == item.attrs.get("long_name"), f"{engine}: /{group}/{name} long_name")
        if h5py.check_string_dtype(item.dtype):
            expect(same(text(seen.values), text(item[...])), f"{engine}: /{group}/{name} texts")
        else:
            expect(same(seen.values, item[...]), f"{engine}: /{group}/{name} values")


def value(tag, rows, index=None):
    rows = np.arange(rows, dtype=object)
    if index is None:
        return np.array([(tag * 1000003 + r * 7919) % 1000000007 for r in rows], dtype=np.uint64)
    r, n = np.arange(len(rows), dtype=np.uint64)[:, None], np.arange(index, dtype=np.uint64)[None, :]
    return (np.uint64(tag * 1000003) + r * np.uint64(7919) + n * np.uint64(31)) % np.uint64(1000000007)


def double(values):
    return np.where(values % 50 == 0, np.nan, values.astype(float) / 1024)


def check_synthetic(path):
    with h5py.File(path, "r") as file:
        epochs, nodes = 23, 300
        want = {
            "node_capacity": value(1, nodes), "node_bond_initial": value(2, nodes),
            "node_role": np.arange(nodes) % 3, "node_strategy": np.arange(nodes) % 4,
            "epochs/blocks": value(13, epochs), "epochs/time_end": np.arange(epochs) * 60. + 60,
            "epochs/finality_p95": double(value(3, epochs)), "epochs/finality_p99": np.full(epochs, np.nan),
            "node_epoch/score": value(104, epochs, nodes) / 2.**31,
            "node_epoch/forecast": value(105, epochs, nodes) / 2.**31, "epochs/theta": np.full(epochs, 0.25),
            "strategies/nodes": value(140, epochs, 4).ravel(), "strategies/strategy": np.tile(np.arange(4), epochs),
            "strategies/payoff": double(value(143, epochs, 4)).ravel(),
            "private/payments": value(150, epochs), "private/pool": value(151, epochs),
            "node_epoch/p_value": double(value(120, epochs, nodes)),
            "node_epoch/difficulty": value(110, epochs, nodes) % 256,
            "node_epoch/bond": value(130, epochs, nodes), "node_epoch/reward": value(131, epochs, nodes),
            "blocks/height": np.arange(1200) + 1, "blocks/transactions": value(201, 1200),
            "blocks/committed_last": double(value(203, 1200)),
            "challenges/response_time": double(value(301, 3000)), "challenges/verdict": np.arange(3000) % 7,
            "trace/digest": value(401, 20000), "trace/sequence": np.arange(20000),
            "trace/size": np.arange(20000) % 1000, "trace/message": np.arange(20000) % 3,
            "digest/digest": value(132, epochs, nodes) * np.uint64(0x100000001),
            "faults/end": np.full(40, np.nan), "traffic/delay_max": np.full(12, 2.),
        }
        for name, expected in want.items():
            expect(name in file and same(file[name][...], expected), f"synthetic: {name} differs")
        first = np.array([value(26 + i, epochs) for i in range(5)]).T
        expect(same(file["epochs/passed_by_cause"][...], first), "synthetic: epochs/passed_by_cause differs")
        u = np.where(np.arange(nodes)[None, :] % 7 == 0, np.nan, value(100, epochs, nodes) / 2.**31)
        expect(same(file["node_epoch/utilisation"][...], u), "synthetic: node_epoch/utilisation differs")
        expect(file["node_name"].asstr()[299] == "sto[299]", "synthetic: node_name")
        expect(file["faults/parameters"].asstr()[7] == "crash 7: 10 % of validators \u2192 durable", "synthetic: text")
        expect(file.attrs["scenario"] == "name: synthetic\nseed: 7\n# \u00e9pochs of invented numbers\n",
               "synthetic: scenario")
        expect(file.attrs["seed"] == 7 and file.attrs["complete"] == 1, "synthetic: root attributes")
        expect(file["summary/margin"][()] == -5 and np.isnan(file["summary/undefined"][()]), "synthetic: summary")
        begin, size = file["inputs/offset"][0], file["inputs/bytes"][0]
        content = file["inputs/content"][begin:begin + size].tobytes()
        expect(content == b"graph [\n node [ id 0 ]\n]\n\0binary\0", "synthetic: embedded file")


def main():
    path = sys.argv[-1]
    for tool in ("h5dump", "ncdump"):
        if shutil.which(tool) is None:
            print(f"skipped: no {tool}")
            return 77
    dump = run_tool("h5dump", path)
    header = run_tool("ncdump", "-h", path)
    run_tool("ncdump", path)
    check_h5py(path)
    groups = check_xarray(path)
    for group in filter(None, groups):
        expect(f'GROUP "{group}"' in dump, f"h5dump: no group {group}")
        expect(f"group: {group} {{" in header, f"ncdump: no group {group}")
    expect("epoch = UNLIMITED" in header and "\tnode = " in header, "ncdump: dimensions")
    if "--synthetic" in sys.argv:
        check_synthetic(path)
    for problem in problems:
        print(problem)
    print(f"{path}: {len(problems)} problems, groups {' '.join(groups)}")
    return 1 if problems else 0


sys.exit(main())
