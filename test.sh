#!/usr/bin/env bash
# Restores, builds without a warning and runs every test. Ends with "N passed, M failed"; the exit code says the same.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")" || exit 1

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_CLI_UI_LANGUAGE=en
# What outlives the run holds files. The compiler's server is worth having during the build; it is told to go after it.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0

# A test that hangs has guards of its own; this one is for a process that hangs.
guard=()
command -v timeout >/dev/null && guard=(timeout --kill-after=10s 20m)

results=artifacts/test-results
passed=0
failed=0
notes=()

finish() {
    if ((${#notes[@]} > 0)); then
        printf '\n'
        printf '%s\n' "${notes[@]}"
    fi
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0 && passed > 0))
    exit
}

give_up() {
    notes+=("$1")
    failed=$((failed + 1))
    finish
}

# The tests of the PostgreSQL store have a cluster of their own, unless COPPICE_POSTGRES names a server. One that an earlier run
# left behind, because it was killed, may be of an older version or half of one: it is never used again.
scratch_cluster=artifacts/test-postgres
has_cluster=no

start_postgres() {
    [[ -z ${COPPICE_POSTGRES:-} ]] || return 0
    echo '== PostgreSQL'
    mkdir -p artifacts
    has_cluster=yes
    local server
    if eng/postgres.sh remove "$scratch_cluster" 2>artifacts/test-postgres.log \
        && server=$(eng/postgres.sh start "$scratch_cluster" </dev/null 2>>artifacts/test-postgres.log); then
        export COPPICE_POSTGRES=$server
        return
    fi
    # Its tests are run all the same, and fail; they need not try what has just failed.
    export COPPICE_POSTGRES_INSTALL=never
    notes+=('== PostgreSQL could not be started, so the tests that need it fail. Why:' "$(cat artifacts/test-postgres.log)")
    failed=$((failed + 1))
}

stop_postgres() { [[ $has_cluster == no ]] || eng/postgres.sh remove "$scratch_cluster" 2>>artifacts/test-postgres.log; }

# The trace of system calls needs strace. Without it that one test says so; nothing else depends on it.
install_strace() {
    command -v strace >/dev/null && return
    command -v apt-get >/dev/null || return
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || return
        as_root=(sudo -n)
    fi
    echo '== strace'
    { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq strace; } \
        </dev/null >/dev/null 2>&1 || echo 'strace could not be installed; the test that needs it says so'
}

count() { sed -n "s/.*<assembly [^>]*\b$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1; }

# Half of what the tests take is waiting, for other processes and for the clock: so two projects run at a time, those first that take longest.
at_a_time=2
begun=()
begun_at=()
pids=()

longest_first() {
    printf '%s\n' Coppice.PostgreSql.Tests Coppice.Cluster.Tests Coppice.Crash.Tests Coppice.Testing.Tests Coppice.Samples.Tests Coppice.Cli.Tests
    local project
    for project in tests/*.Tests/*.csproj; do
        basename "$project" .csproj
    done
}

begin_tests() {
    # What runs beside a script is deaf to Ctrl-C unless it is told not to be, and there are tests of what Ctrl-C does.
    (
        trap - INT QUIT TERM EXIT
        exec "${guard[@]}" dotnet "artifacts/bin/$1/release/$1.dll" -noColor -xml "$results/$1.xml"
    ) </dev/null >"$results/$1.log" 2>&1 &
    begun+=("$1")
    begun_at+=("$SECONDS")
    pids+=("$!")
}

# Waits until fewer than so many run.
wait_for_tests() {
    while true; do
        local i still=() still_at=() still_pids=()
        for ((i = 0; i < ${#pids[@]}; i++)); do
            if kill -0 "${pids[i]}" 2>/dev/null; then
                still+=("${begun[i]}")
                still_at+=("${begun_at[i]}")
                still_pids+=("${pids[i]}")
            else
                local code=0
                wait "${pids[i]}" || code=$?
                report_tests "${begun[i]}" "$code" $((SECONDS - begun_at[i]))
            fi
        done
        begun=(${still[@]+"${still[@]}"})
        begun_at=(${still_at[@]+"${still_at[@]}"})
        pids=(${still_pids[@]+"${still_pids[@]}"})
        ((${#pids[@]} >= $1)) || return 0
        sleep 0.2
    done
}

# What was begun does not outlast this script.
end_tests() {
    ((${#pids[@]} > 0)) || return 0
    kill "${pids[@]}" 2>/dev/null
    wait "${pids[@]}" 2>/dev/null
    pids=()
}

report_tests() {
    local name=$1 code=$2 seconds=$3 log=$results/$1.log xml=$results/$1.xml
    local ok bad errors skipped
    ok=$(count passed "$xml" 2>/dev/null)
    bad=$(count failed "$xml" 2>/dev/null)
    errors=$(count errors "$xml" 2>/dev/null)
    skipped=$(count skipped "$xml" 2>/dev/null)
    ok=${ok:-0} bad=$((${bad:-0} + ${errors:-0}))

    # A process that crashed, or ran nothing, failed whatever it managed to write.
    if ((bad == 0)) && ((code != 0 || ok == 0)); then
        bad=1
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    printf '%-32s %5d passed %5d failed %5d skipped %4d s\n' "$name" "$ok" "$bad" "${skipped:-0}" "$seconds"
    if ((bad > 0)); then
        notes+=("== $name (exit code $code)" "$(grep -vE '^xUnit\.net|^ +(Discover|Start|Finish)' "$log" | tail -n 200)")
    fi
}

leave() {
    end_tests
    stop_postgres
}

trap 'exit 130' INT
trap 'exit 143' TERM
trap leave EXIT
command -v dotnet >/dev/null || give_up 'The .NET 10 SDK is needed: https://dotnet.microsoft.com/download'
install_strace

echo '== build'
dotnet build Coppice.slnx -c Release -warnaserror -v q -nologo </dev/null || give_up 'The build failed.'
dotnet build-server shutdown --vbcscompiler </dev/null >/dev/null 2>&1

start_postgres
printf '== test, %d projects at a time; what they say goes to %s\n' "$at_a_time" "$results"
rm -rf "$results" && mkdir -p "$results"
for name in $(longest_first | awk '!seen[$0]++'); do
    wait_for_tests "$at_a_time"
    begin_tests "$name"
done
wait_for_tests 1
finish
