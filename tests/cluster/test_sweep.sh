#!/bin/bash
# The Slurm job array of scenarios/studies/sweep.sbatch on a throw-away cluster gives the bytes of a
# plain sweep: test_sweep.sh PROGRAM SOURCE.
set -eu
program=$1 source=$2
if [ -z "${SLURM_CONF-}" ]; then
    exec "$source/tests/cluster/slurm.sh" "$0" "$@"
fi

folder=$(mktemp -d /tmp/destrasim-cluster-XXXXXX)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
study=$source/scenarios/studies/small.yaml
script=$source/scenarios/studies/sweep.sbatch
export DESTRASIM=$program
"$program" sweep "$study" -o plain --quiet >plain.txt

# 4 tasks; more tasks than points, numbered from 11; and one that is started twice
sbatch --wait --array=1-4 -o 'four-%a.txt' "$script" "$study" four --quiet
sbatch --wait --array=11-16 -o 'six-%a.txt' "$script" "$study" six --quiet
sbatch --wait --array=1-2 -o 'two-%a.txt' "$script" "$study" two --quiet
sbatch --wait --array=1-2 -o 'again-%a.txt' "$script" "$study" two --quiet
for dir in four six two; do
    cmp plain/study.h5 "$dir/study.h5" || { tail -n 5 "$dir"-*.txt; exit 1; }
done
grep -q 'results  four/study.h5' four-*.txt
grep -q 'this part is done' four-*.txt
# a wrong study fails in every task, and says so
if sbatch --wait --array=1-2 -o 'bad-%a.txt' "$script" nowhere.yaml bad --quiet; then exit 1; fi
grep -q 'nowhere.yaml' bad-1.txt
echo "job arrays of 4, 6 and 2 tasks: the bytes of a plain sweep"
