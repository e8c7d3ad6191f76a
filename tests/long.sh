#!/usr/bin/env bash
# The long forms of the proofs. What each found is written to docs/proof/<name>.txt, to be committed.
#
#   tests/long.sh               all of them: about two hours on two cores
#   tests/long.sh kill fuzz     only these
#
#   kill         1,000 SIGKILLs of a process that works on a SQLite store                     about 25 minutes
#   kill-durable SIGKILL right after each commit of tasks of registered kinds, and at random  about 10 minutes
#   leak         200,000 tasks, and what their bodies left behind, on each store              about 2 minutes
#   fuzz         damaged and random JSON into every reader and into a restore                 about 10 minutes
#   simulation   10,000 seeded histories of simulated hosts on each store, and as many of registered kinds   about 25 minutes
#   properties   random operation sequences against the model and between the stores
#   cluster      hosts on one PostgreSQL under random faults, and a failover: an hour, and only when asked for; see tests/soak.sh
#
# COPPICE_SEED repeats a run that failed (it is printed), COPPICE_KILLS, COPPICE_HISTORIES and COPPICE_DOCUMENTS change how many.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_CLI_UI_LANGUAGE=en
export COPPICE_LONG=1

all=(kill kill-durable leak fuzz simulation properties)
logs=artifacts/long
mkdir -p "$logs" docs/proof

# The classes of each proof, as "project class-filter".
declare -A proofs=(
    [kill]='Coppice.Crash.Tests *.KillTests'
    [kill-durable]='Coppice.Crash.Tests *.DurableKillTests'
    [leak]='Coppice.Tests *Law14*;Coppice.Sqlite.Tests *Law14*'
    [fuzz]='Coppice.Tests *Fuzz*;Coppice.Sqlite.Tests *Fuzz*'
    [simulation]='Coppice.Testing.Tests *ExplorationTests'
    [cluster]='Coppice.Cluster.Tests *.ClusterTests'
    [properties]='Coppice.Properties.Tests *Coppice.Properties.Tests*;Coppice.Sqlite.Tests *AgreementTests'
)

fail() {
    printf '%s\n' "$1" >&2
    failed+=("$2")
}

count() { sed -n "s/.*<assembly [^>]*\b$1=\"\([0-9]*\)\".*/\1/p" "$2" 2>/dev/null | head -n 1; }

machine() {
    local memory os='' runtime
    memory=$(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo 2>/dev/null)
    [[ -r /etc/os-release ]] && os=$(. /etc/os-release && printf '%s' "${PRETTY_NAME:-}")
    runtime=$(dotnet --list-runtimes | sed -n 's/^Microsoft.NETCore.App \(10\.[^ ]*\).*/\1/p' | tail -n 1)
    printf '%s cores, %s, %s %s, .NET %s' "$(nproc 2>/dev/null || echo '?')" "${memory:-?}" "$(uname -s)" "${os:+($os)}" "$runtime"
}

run_proof() {
    local name=$1 report=$PWD/$logs/$1.report parts part project filter tests=0
    local start=$SECONDS
    printf '== %s\n' "$name"
    rm -f "$report"
    IFS=';' read -r -a parts <<<"${proofs[$name]}"
    for part in "${parts[@]}"; do
        read -r project filter <<<"$part"
        [[ -d tests/$project ]] || { fail "There is no tests/$project." "$name"; return; }
        dotnet build "tests/$project/$project.csproj" -c Release -warnaserror -v q -nologo </dev/null || { fail "$project does not build." "$name"; return; }
        local xml=$logs/$name.xml log=$logs/$name.log code=0 ok
        rm -f "$xml"
        # What the tests say on standard error is how far they are.
        COPPICE_RESULTS=$report dotnet "artifacts/bin/$project/release/$project.dll" -noColor -class "$filter" -xml "$xml" </dev/null >"$log" || code=$?
        ok=$(count passed "$xml")
        if ((code != 0 || ${ok:-0} == 0)); then
            fail "$(grep -vE '^xUnit\.net|^ +(Discover|Start|Finish)' "$log" | tail -n 100)
$name: $project $filter failed (exit code $code, ${ok:-0} tests passed)." "$name"
            return
        fi
        tests=$((tests + ok))
        grep 'COPPICE_SEED=' "$log" >>"$report"
    done
    {
        printf 'date      %s\n' "$(date -u +%Y-%m-%d)"
        printf 'command   %s\n' "${COPPICE_COMMAND:-tests/long.sh $name}"
        printf 'version   %s\n' "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
        printf 'machine   %s\n' "$(machine)"
        printf 'took      %d min %02d s\n' $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60))
        printf 'tests     %d passed, 0 failed\n\n' "$tests"
        cat "$report" 2>/dev/null
    } >"docs/proof/$name.txt"
    cat "docs/proof/$name.txt"
}

names=("$@")
((${#names[@]} > 0)) || names=("${all[@]}")
failed=()
for name in "${names[@]}"; do
    [[ -n ${proofs[$name]:-} ]] || { printf 'There is no proof named %s; there are: %s\n' "$name" "${all[*]}" >&2; exit 2; }
done
for name in "${names[@]}"; do
    run_proof "$name"
done

if ((${#failed[@]} > 0)); then
    printf 'FAILED: %s\n' "${failed[*]}" >&2
    exit 1
fi
printf 'all held: %s\n' "${names[*]}"
