#!/usr/bin/env bash
# Mutation testing of the core: changes src/Coppice in one place at a time and asks whether a test of tests/Coppice.Tests notices.
#
#   eng/mutation.sh                    all folders, one after the other, each with a report of its own
#   eng/mutation.sh mail hosting       only these (execution, storage, mail, hosting, tasks)
#
# It takes hours: per folder about four minutes to build, to run the tests once and to learn which test reaches which line, then two to
# four seconds a mutant on one core, of which the whole core has about 2,800. The machine stays usable: it runs niced, and one
# at a time unless COPPICE_MUTATION_CONCURRENCY says more. Reports: artifacts/mutation/<folder>/reports/mutation-report.json.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
root=$PWD

declare -A files=(
    [execution]='Execution/**/*'
    [storage]='Storage/**/*'
    [mail]='Mail/**/*'
    [hosting]='Hosting/**/*'
    [tasks]='Tasks/**/*'
)
folders=("$@")
((${#folders[@]} > 0)) || folders=(hosting mail execution storage tasks)

dotnet tool restore >/dev/null || { echo 'dotnet-stryker could not be restored (.config/dotnet-tools.json).'; exit 1; }

failed=0
for folder in "${folders[@]}"; do
    [[ -n ${files[$folder]:-} ]] || { echo "No such folder: $folder (${!files[*]})"; exit 2; }
    echo "== $folder"
    # It runs beside the test project: at the root it would take the whole solution.
    (cd tests/Coppice.Tests && nice -n 15 dotnet stryker --skip-version-check \
        --config-file "$root/eng/stryker-config.json" --mutate "${files[$folder]}" \
        --concurrency "${COPPICE_MUTATION_CONCURRENCY:-1}" --output "$root/artifacts/mutation/$folder") || failed=1
done
exit "$failed"
