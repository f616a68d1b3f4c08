#!/bin/sh
# Line coverage of models/ by the default suite: builds with --coverage in a folder of its own, runs the
# tests, prints one line a folder and the files that lack most.
#
#   tests/coverage.sh [BUILD-FOLDER] [CTEST-ARGUMENTS...]       e.g. coverage -R 'ledger|node'
#
# Needs gcovr.  Fails when models/ as a whole is below 85 %.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-"$source/build/coverage"}
[ $# -gt 0 ] && shift
command -v gcovr >/dev/null || { echo "coverage.sh: gcovr is missing: apt-get install gcovr" >&2; exit 2; }
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_C_FLAGS="--coverage -O1 -fprofile-update=atomic" -DBUILD_TESTING=ON >/dev/null
ninja -C "$build" >/dev/null
find "$build" -name '*.gcda' -delete
(cd "$build" && ctest --output-on-failure -LE slow "$@" | tail -15) || true
gcovr --root "$source" --filter "$source/models/" --object-directory "$build" \
  --gcov-ignore-parse-errors "$build" --csv "$build/coverage.csv" 2>"$build/gcovr.log" ||
  { cat "$build/gcovr.log" >&2; exit 3; }
python3 - "$build/coverage.csv" <<'PYTHON'
import collections, csv, sys

folders = collections.defaultdict(lambda: [0, 0])
files = []
for row in csv.DictReader(open(sys.argv[1])):
    total, covered = int(row["line_total"]), int(row["line_covered"])
    folder = row["filename"].rsplit("/", 1)[0]
    folders[folder][0] += total
    folders[folder][1] += covered
    files.append((total - covered, total, row["filename"]))
for folder, (total, covered) in sorted(folders.items()):
    print(f"{folder:24} {100 * covered / max(total, 1):6.1f} %  of {total:5} lines")
total = sum(t for t, _ in folders.values())
covered = sum(c for _, c in folders.values())
print(f"{'models/':24} {100 * covered / max(total, 1):6.1f} %  of {total:5} lines")
print("\nmost uncovered lines:")
for missing, lines, name in sorted(files, reverse=True)[:12]:
    print(f"  {missing:4} of {lines:4}  {name}")
sys.exit(0 if covered >= 0.85 * total else 1)
PYTHON
