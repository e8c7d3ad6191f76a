#!/usr/bin/env bash
# Several hosts on one PostgreSQL, for long, under random faults: processes killed and stopped, the database crashed and restarted, connections cut,
# silent and slow, clocks an hour off; and a failover to a standby. What was acknowledged is held against what is there in the end.
#
#   tests/soak.sh                            an hour
#   tests/soak.sh --minutes 10 --seed 4711   as long as that, with the chance of an earlier run
#
# The result is written to docs/proof/cluster.txt, to be committed. With the seed the same faults come in the same order; when they hit is up to the machine.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

command='tests/soak.sh' minutes=60
[[ $# -eq 0 ]] || command+=" $*"
while (($# > 0)); do
    case $1 in
        --minutes) minutes=${2:?"--minutes needs a number"} && shift 2 ;;
        --seed) export COPPICE_SEED=${2:?"--seed needs a number"} && shift 2 ;;
        -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" | sed '/^set /d' && exit ;;
        *) printf 'soak.sh: there is no "%s"; there are --minutes N and --seed N.\n' "$1" >&2 && exit 2 ;;
    esac
done
[[ $minutes =~ ^[1-9][0-9]*$ ]] || { printf 'soak.sh: --minutes is a whole number from 1, not "%s".\n' "$minutes" >&2 && exit 2; }

export COPPICE_COMMAND=$command COPPICE_SECONDS=$((minutes * 60))
exec tests/long.sh cluster
