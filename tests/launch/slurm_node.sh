#!/usr/bin/env bash
# A SLURM cluster of one node, this machine, without systemd: slurm_node.sh start|stop DIR, as root.
# Clients find it by SLURM_CONF=DIR/slurm.conf. Everything it writes is in DIR.
set -euo pipefail
umask 022
verb=$1 dir=$(realpath -m "$2")

installed() {
  command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v munged >/dev/null
}

packages() {
  installed && return
  exec 9<"$0" # of several tests that start a node, one installs
  flock 9
  installed && return
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -qq -y --no-install-recommends slurm-wlm munge ||
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends slurm-wlm munge; }
}

free_ports() {
  python3 -c 'import socket
held = [socket.socket() for _ in range(2)]
[own.bind(("127.0.0.1", 0)) for own in held]
print(*[own.getsockname()[1] for own in held])'
}

configure() {
  read -r control node < <(free_ports)
  host=$(hostname -s)
  cat >"$dir/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$control
SlurmdPort=$node
SlurmUser=root
AuthType=auth/munge
# a requeued job waits until its old credential has expired: seconds here, two minutes by default
AuthInfo=socket=$dir/munge.socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
ReturnToService=2
KillWait=2
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
}

start() {
  packages
  mkdir -p "$dir/state" "$dir/spool"
  configure
  dd if=/dev/urandom of="$dir/munge.key" bs=1 count=1024 status=none
  chmod 400 "$dir/munge.key"
  munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" 2>>"$dir/munged.log"
  slurmctld -f "$dir/slurm.conf"
  slurmd -f "$dir/slurm.conf"
  for _ in $(seq 100); do
    SLURM_CONF=$dir/slurm.conf sinfo -h -o %T 2>/dev/null | grep -q idle && return
    sleep 0.2
  done
  tail -n 20 "$dir"/*.log >&2
  return 1
}

ended() { # a zombie has ended, too
  [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

stop() {
  SLURM_CONF=$dir/slurm.conf timeout 10 scancel --signal=KILL --full --user="$(id -un)" 2>/dev/null || true
  for daemon in slurmd slurmctld munged; do
    [ -f "$dir/$daemon.pid" ] || continue
    pid=$(cat "$dir/$daemon.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
      ended "$pid" && continue 2
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
}

"$verb"
