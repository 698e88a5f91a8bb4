"""Opens a report the three ways people do (h5py, xarray with h5netcdf, xarray with netCDF4) and compares what each sees
with the expected values: {"group": {"variable": {"dims": [..], "values": nested lists}}} in a JSON file."""
import json
import sys

import h5py
import numpy
import xarray

report, expected_file = sys.argv[1:3]
with open(expected_file, encoding="utf-8") as stream:
    expected = json.load(stream)
problems = []


def compare(where, found, wanted):
    found = numpy.asarray(found)
    wanted = numpy.asarray(wanted)
    if found.shape != wanted.shape:
        problems.append(f"{where}: shape {found.shape}, expected {wanted.shape}")
    elif wanted.dtype.kind in "iufb":
        a, b = found.astype("f8"), wanted.astype("f8")
        if not numpy.array_equal(a, b, equal_nan=True):
            problems.append(f"{where}: {a.ravel()[:4]}, expected {b.ravel()[:4]}")
    elif [str(x) for x in found.ravel()] != [str(x) for x in wanted.ravel()]:
        problems.append(f"{where}: {found.ravel()[:4]}, expected {wanted.ravel()[:4]}")


def numbers(values):
    """null stands for NaN."""
    if isinstance(values, list):
        return [numbers(v) for v in values]
    return float("nan") if values is None else values


with h5py.File(report, "r") as file:
    groups = list(file)
    if sorted(groups) != sorted(expected):
        problems.append(f"groups {groups}, expected {sorted(expected)}")
    for group in groups:
        for name, wanted in expected.get(group, {}).items():
            data = file[group][name]
            values = data.asstr()[()] if h5py.check_string_dtype(data.dtype) else data[()]
            compare(f"h5py {group}/{name}", values, numbers(wanted["values"]))

for engine in ("h5netcdf", "netcdf4"):
    for group in groups:
        with xarray.open_dataset(report, engine=engine, group=group) as dataset:
            dataset.load()
            names = set(dataset.variables)
            with h5py.File(report, "r") as file:
                if names != set(file[group]):
                    problems.append(f"{engine} {group}: variables {names ^ set(file[group])} differ from the file's")
            for name, wanted in expected.get(group, {}).items():
                if list(dataset[name].dims) != wanted["dims"]:
                    problems.append(f"{engine} {group}/{name}: {dataset[name].dims}, expected {wanted['dims']}")
                compare(f"{engine} {group}/{name}", dataset[name].values, numbers(wanted["values"]))
                if "long_name" not in dataset[name].attrs:
                    problems.append(f"{engine} {group}/{name}: no long_name")

for problem in problems:
    print(problem)
print(f"{len(groups)} groups, {sum(len(v) for v in expected.values())} variables compared")
sys.exit(1 if problems else 0)
