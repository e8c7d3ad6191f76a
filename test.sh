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

run_tests() {
    local name=$1 log=$results/$1.log xml=$results/$1.xml code=0
    "${guard[@]}" dotnet "artifacts/bin/$name/release/$name.dll" -noColor -xml "$xml" </dev/null >"$log" 2>&1 || code=$?

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
    printf '%-32s %5d passed %5d failed %5d skipped\n' "$name" "$ok" "$bad" "${skipped:-0}"
    if ((bad > 0)); then
        notes+=("== $name (exit code $code)" "$(grep -vE '^xUnit\.net|^ +(Discover|Start|Finish)' "$log" | tail -n 200)")
    fi
}

trap 'exit 130' INT
trap 'exit 143' TERM
trap stop_postgres EXIT
command -v dotnet >/dev/null || give_up 'The .NET 10 SDK is needed: https://dotnet.microsoft.com/download'
install_strace

echo '== build'
dotnet build Coppice.slnx -c Release -warnaserror -v q -nologo </dev/null || give_up 'The build failed.'
dotnet build-server shutdown --vbcscompiler </dev/null >/dev/null 2>&1

start_postgres
echo '== test'
rm -rf "$results" && mkdir -p "$results"
for project in tests/*.Tests/*.csproj; do
    run_tests "$(basename "$project" .csproj)"
done
finish
