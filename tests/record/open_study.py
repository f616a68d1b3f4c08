#!/usr/bin/python3
"""Opens a study's file with h5dump, ncdump, h5py and xarray (netcdf4, h5netcdf) and compares what
they see: open_study.py STUDY.h5.  Exit 0 fine, 1 something differs, 77 a tool is missing."""
import shutil
import subprocess
import sys
import warnings

try:
    import h5py
    import numpy as np
    import xarray as xr
    import netCDF4  # noqa: F401 (xarray's engines)
    import h5netcdf  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

DIMENSIONS = {
    "value": ("point", "replication", "metric"), "status": ("point", "replication"),
    "trace_digest": ("point", "replication"), "x": ("point", "parameter"),
    "seed": ("replication",), "mean": ("point", "metric"), "half_width": ("point", "metric"),
    "parameter_path": ("parameter",), "metric_name": ("metric",), "failure_text": ("failure",),
}
problems = []


def expect(good, what):
    if not good:
        problems.append(what)


def run_tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(done.returncode == 0 and not done.stderr, f"{command}: {done.returncode} {done.stderr[:500]}")
    return done.stdout


def text(values):
    return [v.decode() if isinstance(v, bytes) else v for v in np.ravel(values)]


def check_variable(item, seen, what):
    dims = tuple(dim[0].name.lstrip("/") for dim in item.dims)
    expect(seen.dims == dims, f"{what}: dimensions {seen.dims}, not {dims}")
    for name in ("units", "long_name"):
        expect(isinstance(item.attrs.get(name), str), f"{what}: no {name}")
        expect(seen.attrs.get(name) == item.attrs.get(name), f"{what}: {name}")
    if h5py.check_string_dtype(item.dtype):
        expect(text(seen.values) == text(item[...]), f"{what}: texts")
    else:
        expect(np.array_equal(seen.values, item[...], equal_nan=item.dtype.kind == "f"), f"{what}: values")


def main():
    warnings.simplefilter("ignore")  # means of nothing
    path = sys.argv[1]
    for tool in ("h5dump", "ncdump"):
        if shutil.which(tool) is None:
            print(f"skipped: no {tool}")
            return 77
    run_tool("h5dump", path)
    header = run_tool("ncdump", "-h", path)
    run_tool("ncdump", path)
    expect("double value(point, replication, metric) ;" in header, "ncdump: value")
    with h5py.File(path, "r") as file:
        found = {name: item for name, item in file.items()
                 if item.attrs.get("CLASS") != b"DIMENSION_SCALE"}
        for name in ("title", "Conventions", "destrasim_version", "study", "scenario", "content_digest"):
            expect(isinstance(file.attrs.get(name), str), f"no root attribute {name}")
        for engine in ("netcdf4", "h5netcdf"):
            with xr.open_dataset(path, engine=engine) as data:
                expect(set(data.variables) == set(found), f"{engine}: {set(data.variables) ^ set(found)}")
                for name, item in found.items():
                    check_variable(item, data.variables[name], f"{engine}: {name}")
                for name, dims in DIMENSIONS.items():
                    expect(data.variables[name].dims == dims, f"{engine}: {name} {data.variables[name].dims}")
        # means and intervals, from the values
        value = np.where(np.isin(file["status"][()], (1, 2))[:, :, None], file["value"][()], np.nan)
        count = (~np.isnan(value)).sum(axis=1)
        mean = np.divide(np.nansum(value, axis=1), count, out=np.full(count.shape, np.nan), where=count > 0)
        expect(np.allclose(file["mean"][()], mean, rtol=1e-12, equal_nan=True), "mean")
        two = count == 2
        student = np.array([12.706204736432095, 4.302652729911275])
        half = np.nanstd(value, axis=1, ddof=1) * student[np.where(two, 0, 1)] / np.sqrt(np.maximum(count, 1))
        known = (count == 2) | (count == 3)
        expect(known.any() and np.allclose(file["half_width"][()][known], half[known], rtol=1e-9), "half_width")
        expect(np.isnan(file["half_width"][()][count < 2]).all(), "half_width of too few")
    for problem in problems:
        print(problem)
    print(f"{path}: {len(problems)} problems")
    return 1 if problems else 0




sys.exit(main())
