#!/bin/bash
# A throw-away Slurm cluster of one node in a temporary folder, for a test:
#
#     slurm.sh COMMAND...     starts munged, slurmctld and slurmd, waits until the node is idle, runs
#                             COMMAND with SLURM_CONF set, and ends them; its exit code is COMMAND's
#
# Exit code 77: Slurm is not installed, or this is not root (slurmd starts jobs as their users).
set -u
for tool in munged slurmctld slurmd sbatch sinfo; do
    PATH=$PATH:/usr/sbin command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "skipped: slurmd wants root"; exit 77; }
PATH=$PATH:/usr/sbin

home=$(mktemp -d /tmp/destrasim-slurm-XXXXXX) || exit 3
pids=()
end() {
    for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
    for p in "${pids[@]}"; do wait "$p" 2>/dev/null; done
    [ -n "${SLURM_SH_KEEP-}" ] || rm -rf "$home"
}
trap end EXIT
trap 'exit 143' TERM INT

node=$(hostname -s)
port=$((20000 + $$ % 20000))
chmod 755 "$home"
mkdir -m 755 "$home/munge" "$home/state" "$home/spool"
head -c 1024 /dev/urandom >"$home/munge/key"
chmod 600 "$home/munge/key"
cat >"$home/slurm.conf" <<EOF
ClusterName=throwaway
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$home/munge/socket
CredType=cred/munge
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=$node NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF=$home/slurm.conf

munged --foreground --force --socket="$home/munge/socket" --key-file="$home/munge/key" \
    --pid-file="$home/munge/pid" --seed-file="$home/munge/seed" --log-file="$home/munge/log" \
    >"$home/munged.log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do [ -S "$home/munge/socket" ] && break; sleep 0.1; done
slurmctld -D -c >"$home/slurmctld.log" 2>&1 &
pids+=($!)
slurmd -D -N "$node" >"$home/slurmd.log" 2>&1 &
pids+=($!)
for _ in $(seq 300); do
    [ "$(sinfo -h -o %t 2>/dev/null)" = idle ] && break
    sleep 0.1
done
if [ "$(sinfo -h -o %t 2>/dev/null)" != idle ]; then
    echo "the cluster did not come up" >&2
    tail -n 20 "$home"/*.log "$home/munge/log" >&2
    exit 1
fi
"$@"
