#!/usr/bin/env bash
# Three hosts share one PostgreSQL store. A tree of tasks grows on all of them; the host that has most of it in hand is killed with SIGKILL, and the
# tree grows back on the others, ring by ring from where it was.
#
#   samples/ManyHosts/demo.sh
#
# The database is the one that COPPICE_POSTGRES names by its Npgsql connection string, or the scratch cluster of eng/postgres.sh. The exit code is 0
# when the tree is whole at the end and something of it has grown back.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
program=${MANY_HOSTS_PROGRAM:-}
if [[ -z $program ]]; then
    dotnet build -c Release "$root/samples/ManyHosts" -v quiet -nologo >&2
    program=$root/artifacts/bin/ManyHosts/release/ManyHosts
fi

[[ -n ${COPPICE_POSTGRES:-} ]] || COPPICE_POSTGRES=$("$root/eng/postgres.sh" start)
export COPPICE_POSTGRES COPPICE_SCHEMA="many_hosts_$$_$(date +%s)"

logs=$(mktemp -d)
declare -A process=()
clean_up() {
    for name in "${!process[@]}"; do
        kill "${process[$name]}" 2>/dev/null || :
    done
    wait 2>/dev/null || :
    rm -rf -- "$logs"
}
trap clean_up EXIT

say() { printf '\n== %s\n' "$*"; }

# Looks ten times a second, for half a minute, whether a command succeeds.
wait_until() {
    local rounds=300
    while ! "$@"; do
        ((rounds-- > 0)) || { echo "It took too long: $*" >&2; exit 1; }
        sleep 0.1
    done
}

is_ready() { grep -q 'is ready' "$logs/$1"; }
in_hand() { echo $(($(grep -c ' begins ' "$logs/$1") - $(grep -c ' ends ' "$logs/$1"))); }
something_grows() {
    local name total=0
    for name in ash birch cedar; do
        total=$((total + $(in_hand "$name")))
    done
    ((total >= 6))
}

say "Three hosts start on the schema $COPPICE_SCHEMA"
for name in ash birch cedar; do
    : >"$logs/$name"
    "$program" serve "$name" > >(tee -a "$logs/$name") 2>&1 &
    process[$name]=$!
    # The first one makes the tables.
    wait_until is_ready "$name"
done

say 'A tree is planted'
"$program" plant >"$logs/report" 2>&1 &
planter=$!
process[planter]=$planter
wait_until something_grows
# Some rings of each twig, of three and a half seconds' worth.
sleep 1

victim=ash
for name in birch cedar; do
    (($(in_hand "$name") <= $(in_hand "$victim"))) || victim=$name
done
say "SIGKILL for $victim, which has $(in_hand "$victim") twigs in hand"
kill -KILL "${process[$victim]}"
wait "${process[$victim]}" 2>/dev/null || :
unset "process[$victim]"

code=0
wait "$planter" || code=$?
say 'What has grown where'
cat "$logs/report"
if ((code == 0)) && ! grep -q '(attempt 2)' "$logs/report"; then
    echo "Nothing that $victim had in hand has grown on elsewhere."
    code=1
fi
exit "$code"
