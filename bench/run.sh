#!/usr/bin/env bash
# Measures whole workloads, each beside a floor in the same run, and writes bench/results/table.md. --help says what it takes.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_CLI_UI_LANGUAGE=en

# Figures are those of the runtime's defaults, whatever was set for other work.
for name in $(compgen -e | grep -E '^(DOTNET|COMPlus)_(gc|GC|Tiered|TC_|ReadyToRun)' || true); do unset "$name"; done

command -v dotnet >/dev/null || { echo 'The .NET 10 SDK is needed: https://dotnet.microsoft.com/download' >&2; exit 2; }
# No server that outlives the build: it would run beside the measurements.
MSBUILDDISABLENODEREUSE=1 dotnet build bench/Coppice.Workloads -c Release -warnaserror -p:UseSharedCompilation=false -v q -nologo >&2

COPPICE_COMMIT=$(git rev-parse --short=10 HEAD 2>/dev/null || true)
if [[ -n $COPPICE_COMMIT ]] && ! git diff --quiet HEAD -- src bench/Coppice.Workloads; then
    COPPICE_COMMIT+=' with changes'
fi
export COPPICE_COMMIT

exec dotnet artifacts/bin/Coppice.Workloads/release/Coppice.Workloads.dll table "$@"
