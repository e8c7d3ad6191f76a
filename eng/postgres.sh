#!/usr/bin/env bash
# A PostgreSQL server of one's own: a scratch cluster on a free port of 127.0.0.1, for the tests and for trying things out by hand.
#
#   eng/postgres.sh start [folder]                   makes the cluster where there is none, starts it where it does not run, and
#                                                    prints its Npgsql connection string, alone, on standard output
#   eng/postgres.sh stop [folder]                    stops it; the data stays
#   eng/postgres.sh restart [folder] [--immediate]   stops and starts it; --immediate as after a crash: connections are cut, nothing is
#                                                    written out, and the start recovers from the log
#   eng/postgres.sh status [folder]                  says whether it runs; the exit code is 0 if it does, else 3
#   eng/postgres.sh remove [folder]                  stops it and deletes the folder
#   eng/postgres.sh standby <folder> <primary>       makes a standby of the server in the folder <primary>, starts it and prints its
#                                                    connection string; it confirms what the primary commits from then on
#   eng/postgres.sh promote [folder]                 has a standby take writes, as the primary
#   eng/postgres.sh kill [folder]                    ends it by SIGKILL, as the loss of its machine would
#   eng/postgres.sh --help                           says this
#
# The folder is artifacts/postgres unless another is named. It holds data/, server.log, the port, and the password of the superuser
# coppice_admin; the database is coppice. Commands on one folder take turns.
#
# Server programs of PostgreSQL 13 or newer are taken from COPPICE_POSTGRES_BIN if it is set, else from where the systems put them. Where
# there are none they are installed by the package manager, as root or with a sudo that asks nothing; COPPICE_POSTGRES_INSTALL=never
# prevents that. For root, whom PostgreSQL refuses, the server runs as postgres or nobody; if that user cannot reach the folder,
# it is below $TMPDIR or /tmp instead, and the command says so.
set -euo pipefail

readonly oldest_version=13
readonly admin=coppice_admin database=coppice
readonly seconds_to_start=60 seconds_to_stop=60

here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
readonly here root=${here%/*}

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "postgres.sh: $*"
    exit 1
}

help() { sed -n '2,/^set /s/^# \{0,1\}//p' "$here/postgres.sh" | sed '/^set /d'; }

# ---- The folder and the user ----

owner_of() { stat -c %u -- "$1" 2>/dev/null || stat -f %u -- "$1"; }
group_of() { stat -c %g -- "$1" 2>/dev/null || stat -f %g -- "$1"; }

# Runs a program as the user of the server, without the lock, which a server would else hold as long as it runs.
as_server() {
    if ((EUID != 0)); then
        "$@" 9>&-
        return
    fi
    case $switch in
        setpriv) setpriv --reuid="$server_uid" --regid="$server_gid" --clear-groups -- "$@" 9>&- ;;
        runuser) runuser -u "$server_user" -- "$@" 9>&- ;;
        *) su -s /bin/sh -c 'exec "$@"' -- "$server_user" sh "$@" 9>&- ;;
    esac
}

choose_user() {
    server_uid=$EUID server_gid='' server_user='' switch=''
    ((EUID == 0)) || return 0

    server_user=postgres
    id -u postgres >/dev/null 2>&1 || server_user=nobody
    server_uid=$(id -u "$server_user") || fail 'PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody.'
    server_gid=$(id -g "$server_user")
    use_owner_of "$folder"

    # BusyBox has a setpriv that cannot change the user.
    if command -v setpriv >/dev/null && setpriv --reuid="$server_uid" --regid="$server_gid" --clear-groups -- true 2>/dev/null; then
        switch=setpriv
    elif command -v runuser >/dev/null; then
        switch=runuser
    else
        switch=su
    fi
}

# What a user made as themself is run as them, also for root.
use_owner_of() {
    [[ -d $1 ]] || return 0
    local owner
    owner=$(owner_of "$1")
    ((owner != 0 && owner != server_uid)) || return 0
    [[ -e $1/coppice.lock ]] || return 0
    server_uid=$owner
    server_gid=$(group_of "$1")
    server_user=$(id -un "$owner" 2>/dev/null || printf '%s' "$owner")
}

# The last folder on the way to a path that is there and may be entered.
nearest_folder() {
    local path=$1
    while [[ ! -d $path || ! -x $path ]]; do
        path=${path%/*}
        path=${path:-/}
    done
    printf '%s' "$path"
}

# Sets folder and all that depends on it.
choose_folder() {
    folder=${1:-$root/artifacts/postgres}
    [[ $folder == /* ]] || folder=$PWD/$folder
    # pg_ctl starts the server by a shell, with the path between double quotes.
    case $folder in
        *[\"\$\`\\]* | *$'\n'*) fail "A folder whose path holds a quote, a dollar, a backslash or a line break will not do: $folder" ;;
    esac
    while [[ $folder == ?*/ ]]; do
        folder=${folder%/}
    done
    local existing
    existing=$(nearest_folder "$folder")
    folder=$(cd -P -- "$existing" && pwd -P)${folder#"$existing"}

    choose_user
    if ((EUID == 0)) && ! as_server test -x "$(nearest_folder "$folder")"; then
        local wanted=$folder temp=${TMPDIR:-/tmp}
        as_server test -x "$temp" || temp=/tmp
        folder=$(cd -P -- "$temp" && pwd -P)/coppice-postgres-$(printf '%s' "$wanted" | cksum | cut -d ' ' -f 1)
        say "The user $server_user, as whom the server runs, cannot reach $wanted; it is in $folder instead."
        [[ ! -L $folder ]] || fail "$folder is a symbolic link, and not by this script."
        if [[ -d $folder ]]; then
            local owner
            owner=$(owner_of "$folder")
            ((owner == 0 || owner == server_uid)) || fail "$folder belongs to somebody else."
        fi
    fi
    data=$folder/data
    log=$folder/server.log
}

# The lock is the first file in a folder of this script, and leaves with it.
holds_something_else() {
    local entries
    entries=$(ls -A -- "$folder" 2>/dev/null) || return 1
    [[ -n $entries && $'\n'$entries$'\n' != *$'\n'coppice.lock$'\n'* && ! -e $folder/coppice.lock && -d $folder ]]
}

make_folder() {
    (umask 022 && mkdir -p -- "$folder") || fail "$folder cannot be made."
    {
        ((EUID != 0)) || chown "$server_uid:$server_gid" "$folder"
        chmod 0700 "$folder"
    } 2>/dev/null
}

# Holds the folder until this script ends; fails where there is none and none is to be made. Each step may find that the folder was
# removed meanwhile, and who waited for the lock may hold one that is no longer there: then it begins again.
lock_folder() {
    while true; do
        ! holds_something_else || fail "$folder is not empty, and holds no cluster of this script."
        if [[ $1 == make ]]; then
            make_folder || { [[ -d $folder ]] && fail "$folder belongs to somebody else." || continue; }
        elif [[ -x $folder && ! -e $folder/coppice.lock ]] || [[ ! -d $folder ]]; then
            return 1
        fi
        { exec 9>>"$folder/coppice.lock"; } 2>/dev/null || { [[ -d $folder ]] && fail "$folder belongs to somebody else." || continue; }
        command -v flock >/dev/null || return 0
        flock 9
        if [[ $folder/coppice.lock -ef /dev/fd/9 ]]; then
            return 0
        fi
    done
}

# ---- The server programs ----

major_version_of() {
    local version
    version=$(as_server "$1/postgres" --version 2>/dev/null) || return 1
    [[ $version =~ \(PostgreSQL\)\ ([0-9]+) ]] || return 1
    printf '%s' "${BASH_REMATCH[1]}"
}

newest_first() { sort -rV 2>/dev/null || sort -r; }

folders_with_programs() {
    local program
    command -v pg_config >/dev/null && pg_config --bindir 2>/dev/null || :
    ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql*/ /usr/lib/postgresql*/bin 2>/dev/null | newest_first || :
    ls -d /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /home/linuxbrew/.linuxbrew/opt/postgresql*/bin 2>/dev/null | newest_first || :
    ls -d /Applications/Postgres.app/Contents/Versions/*/bin 2>/dev/null | newest_first || :
    if program=$(command -v initdb); then
        dirname -- "$(readlink -f -- "$program" 2>/dev/null || printf '%s' "$program")"
        dirname -- "$program"
    fi
}

# Sets bin, or too_old to the newest that will not do.
find_programs() {
    local candidate version
    bin='' too_old=''
    if [[ -n ${COPPICE_POSTGRES_BIN:-} ]]; then
        bin=${COPPICE_POSTGRES_BIN%/}
        [[ -x $bin/initdb && -x $bin/pg_ctl && -x $bin/postgres ]] \
            || fail "COPPICE_POSTGRES_BIN is $bin, where initdb, pg_ctl and postgres are not."
        version=$(major_version_of "$bin") || fail "$bin/postgres does not run as ${server_user:-this user}."
        ((version >= oldest_version)) || fail "COPPICE_POSTGRES_BIN is PostgreSQL $version; it must be $oldest_version or newer."
        return 0
    fi
    while read -r candidate; do
        candidate=${candidate%/}
        [[ -x $candidate/initdb && -x $candidate/pg_ctl && -x $candidate/postgres ]] || continue
        version=$(major_version_of "$candidate") || continue
        if ((version >= oldest_version)); then
            bin=$candidate
            return 0
        fi
        too_old=${too_old:-PostgreSQL $version in $candidate}
    done < <(folders_with_programs)
    return 1
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo -n "$@"
    fi
}

# Debian makes and starts a cluster with the package unless it is told not to. What it was told before is put back.
install_by_apt() {
    local settings=/etc/postgresql-common/createcluster.conf code=0
    as_root apt-get update -qq || return
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common || return
    as_root cp -p "$settings" "$settings.before-coppice" || return
    as_root sed -i -e '/^[# ]*create_main_cluster\b/d' -e '$a create_main_cluster = false' "$settings" || return
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql || code=$?
    as_root mv "$settings.before-coppice" "$settings"
    return "$code"
}

install_programs() {
    [[ ${COPPICE_POSTGRES_INSTALL:-} != never ]] || return 1
    if ((EUID != 0)); then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    fi
    local by=''
    if command -v apt-get >/dev/null; then
        by=install_by_apt
    elif command -v dnf >/dev/null; then
        by='as_root dnf install -y -q postgresql-server'
    elif command -v apk >/dev/null; then
        by='as_root apk add -q postgresql'
    else
        return 1
    fi
    say 'Installing the server programs of PostgreSQL.'
    local said code=0
    said=$($by </dev/null 2>&1 9>&-) || code=$?
    if ((code != 0)); then
        say "$said"
        say "They could not be installed (exit code $code)."
    fi
    return "$code"
}

need_programs() {
    find_programs && return
    install_programs && find_programs && return
    fail "No server programs of PostgreSQL $oldest_version or newer (initdb, pg_ctl, postgres) were found${too_old:+, only $too_old}.
Install them (Debian and Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; Alpine: apk add postgresql;
macOS: brew install postgresql), or set COPPICE_POSTGRES_BIN to the folder they are in. The tests also take a server that runs elsewhere,
where they may make and drop schemas: set COPPICE_POSTGRES to its Npgsql connection string."
}

# ---- The cluster ----

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

best_locale() {
    if command -v locale >/dev/null && locale -a 2>/dev/null | grep -qiE '^C\.utf-?8$'; then
        printf 'C.UTF-8'
    else
        printf 'C'
    fi
}

# Writes a file as the user of the server, who may be the one to start it the next time.
keep() { as_server sh -c 'cat >"$1"' sh "$1"; }

# The file ready is written last: without it the cluster is half made.
make_cluster() {
    say "Making a cluster of PostgreSQL $(major_version_of "$bin") in $folder."
    rm -rf -- "$data" "$folder/password" "$folder/port" "$folder/ready"
    (umask 077 && random_hex 24 >"$folder/password")
    if ((EUID == 0)); then
        chown "$server_uid:$server_gid" "$folder/password"
    fi
    # The server syncs what it acknowledges. What is new and empty need not survive a power cut, and the disk may have other work.
    local said
    said=$(as_server env TZ=UTC "$bin/initdb" --pgdata="$data" --username="$admin" --pwfile="$folder/password" --auth=scram-sha-256 \
        --encoding=UTF8 --locale="$(best_locale)" --data-checksums --no-sync 2>&1) || fail "initdb failed:
$said"
    as_server sh -c 'printf "\n# Written anew at each start by eng/postgres.sh.\ninclude '\''scratch.conf'\''\n" >>"$1"' sh "$data/postgresql.conf"
    choose_port
    write_settings "$port"
    said=$(printf 'CREATE DATABASE %s\n' "$database" | as_server "$bin/postgres" --single -D "$data" postgres 2>&1) || fail "The database was not made:
$said"
    keep "$folder/ready" <<<"PostgreSQL $(cat "$data/PG_VERSION")"
}

write_settings() {
    keep "$data/scratch.conf" <<END
listen_addresses = '127.0.0.1'
port = $1
unix_socket_directories = ''
max_connections = 200
max_prepared_transactions = 0
shared_buffers = 64MB
fsync = on
log_lock_waits = on
log_line_prefix = '%m [%p] %a '
log_timezone = 'UTC'
timezone = 'UTC'
END
}

same_version() { [[ $(cat "$data/PG_VERSION") == "$(major_version_of "$bin")" ]]; }

# Whether the process is the server of this folder. One that has taken over the number of a dead server is not, nor is a dead one that
# nobody has waited for.
is_server() {
    kill -0 "$1" 2>/dev/null || return 1
    if [[ -r /proc/$1/cmdline ]]; then
        [[ /proc/$1/cwd -ef $data ]] || tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | grep -qxF -e "$data"
    else
        ps -p "$1" -o args= 2>/dev/null | grep -qF -e "-D $data"
    fi
}

# Sets pid to what is written down, also when that is not the server.
is_running() {
    pid=''
    [[ -r $data/postmaster.pid ]] || return 1
    read -r pid <"$data/postmaster.pid" || :
    [[ $pid =~ ^[0-9]+$ ]] || pid=''
    [[ -n $pid ]] && is_server "$pid"
}

is_ready() { [[ $(sed -n 8p "$data/postmaster.pid" 2>/dev/null) =~ ^(ready|standby) ]]; }

# Looks every 20 ms, for as many seconds, whether a command succeeds.
wait_until() {
    local rounds=$(($1 * 50))
    shift
    while ! "$@"; do
        ((rounds-- > 0)) || return 1
        sleep 0.02
    done
}

has_ended() { ! is_server "$1"; }

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets port to one below those that systems give to outgoing connections.
choose_port() {
    for _ in {1..100}; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        port_is_taken "$port" || return 0
    done
    fail 'No free port was found between 20000 and 32000.'
}

run_server() {
    # A log that only grows would fill the disk of whoever keeps the cluster.
    if [[ -f $log ]] && (($(wc -c <"$log") > 10000000)); then
        mv -f -- "$log" "$log.before"
    fi
    # The server itself removes what it finds of a dead one, unless the number belongs to some other process by now.
    if [[ -e $data/postmaster.pid && -n $pid ]] && kill -0 "$pid" 2>/dev/null; then
        rm -f -- "$data/postmaster.pid"
    fi

    local attempt logged said
    port=''
    [[ -r $folder/port ]] && read -r port <"$folder/port" || :
    [[ $port =~ ^[0-9]+$ ]] || choose_port
    for ((attempt = 1; attempt <= 30; attempt++)); do
        if port_is_taken "$port"; then
            choose_port
        fi
        write_settings "$port"
        logged=0
        [[ ! -f $log ]] || logged=$(wc -c <"$log")
        if said=$(as_server "$bin/pg_ctl" start --pgdata="$data" --log="$log" --silent --wait --timeout="$seconds_to_start" </dev/null 2>&1); then
            keep "$folder/port" <<<"$port"
            return
        fi
        said+=$'\n'$(tail -c +"$((logged + 1))" "$log" 2>/dev/null || :)
        case $said in
            *'Address already in use'* | *'could not bind'*) choose_port ;;
            *'still in use'*) sleep 0.5 ;; # the processes of a server that was killed are about to end
            *) break ;;
        esac
    done
    fail "The server does not start:
$said"
}

stop_server() {
    is_running || return 0
    kill "-$1" "$pid"
    wait_until "$seconds_to_stop" has_ended "$pid" || fail "The server (process $pid) did not stop within $seconds_to_stop s; see $log."
}

print_connection_string() {
    printf 'Host=127.0.0.1;Port=%s;Username=%s;Password=%s;Database=%s\n' \
        "$(sed -n 4p "$data/postmaster.pid")" "$admin" "$(cat "$folder/password")" "$database"
}

# ---- The commands ----

start() {
    lock_folder make
    start_server
    print_connection_string
}

start_server() {
    if ! is_running; then
        need_programs
        if [[ ! -e $folder/ready ]]; then
            make_cluster
        elif ! same_version; then
            fail "The cluster in $folder is of PostgreSQL $(cat "$data/PG_VERSION"), the programs in $bin are not. \"eng/postgres.sh remove\" makes room for a new one."
        fi
        run_server
    fi
    wait_until "$seconds_to_start" is_ready || fail "The server is not ready after $seconds_to_start s; see $log."
}

stop() {
    lock_folder keep || return 0
    stop_server INT
}

restart() {
    lock_folder make
    stop_server "$([[ $immediate == yes ]] && printf QUIT || printf INT)"
    start_server
    print_connection_string
}

status() {
    [[ ! -d $folder || -x $folder ]] || fail "$folder belongs to somebody else."
    if [[ -d $folder ]] && is_running; then
        printf 'It runs: process %s, port %s, PostgreSQL %s, in %s\n' "$pid" "$(sed -n 4p "$data/postmaster.pid")" "$(cat "$data/PG_VERSION")" "$folder"
    else
        printf 'It does not run: %s\n' "$folder"
        return 3
    fi
}

remove() {
    lock_folder keep || return 0
    stop_server QUIT
    local doomed=$folder.removed.$$
    mv -- "$folder" "$doomed"
    rm -rf -- "$doomed"
}

# Everything that the primary acknowledges once this is done is on both.
standby() {
    [[ -n $primary ]] || fail 'A standby needs the folder of its primary: postgres.sh standby <folder> <primary>'
    [[ $primary == /* ]] || primary=$from/$primary
    [[ -r $primary/data/postmaster.pid && -r $primary/password ]] || fail "There is no server that runs in $primary."
    lock_folder make
    need_programs
    [[ ! -e $folder/ready ]] || fail "There is a cluster in $folder already. \"eng/postgres.sh remove\" makes room for another."
    local said primary_port
    primary_port=$(sed -n 4p "$primary/data/postmaster.pid")
    rm -rf -- "$data"
    keep "$folder/password" <"$primary/password"
    said=$(as_server env PGPASSWORD="$(cat "$primary/password")" "$bin/pg_basebackup" --host=127.0.0.1 --port="$primary_port" --username="$admin" \
        --pgdata="$data" --write-recovery-conf --wal-method=stream --checkpoint=fast --no-sync 2>&1) || fail "pg_basebackup failed:
$said"
    chmod 0700 "$data"
    keep "$folder/ready" <<<"PostgreSQL $(cat "$data/PG_VERSION")"
    start_server
    # Settings of its own come after those that are written anew at each start.
    as_server sh -c 'printf "synchronous_standby_names = '\''*'\''\n" >>"$1/postgresql.auto.conf"' sh "$primary/data"
    as_server "$bin/pg_ctl" reload --pgdata="$primary/data" --silent
    print_connection_string
}

promote() {
    lock_folder keep || fail "There is no cluster in $folder."
    need_programs
    # It waits for no standby itself.
    local said
    as_server sh -c 'sed -i.before "/^synchronous_standby_names/d" "$1/postgresql.auto.conf"' sh "$data"
    said=$(as_server "$bin/pg_ctl" promote --pgdata="$data" --wait --timeout="$seconds_to_start" 2>&1) || fail "It could not be promoted:
$said"
    print_connection_string
}

kill_server() {
    lock_folder keep || return 0
    stop_server KILL
}

main() {
    local command=${1:-} named='' argument
    primary='' from=$PWD
    immediate=no
    (($# == 0)) || shift
    case $command in
        -h | --help | help)
            help
            return
            ;;
        start | stop | restart | status | remove | standby | promote) ;;
        kill) command=kill_server ;;
        '') fail 'A command is missing: start, stop, restart, status, remove, standby, promote or kill. --help says more.' ;;
        *) fail "There is no command \"$command\"; there are start, stop, restart, status, remove, standby, promote and kill. --help says more." ;;
    esac
    for argument in "$@"; do
        case $argument in
            -h | --help)
                help
                return
                ;;
            --immediate)
                [[ $command == restart ]] || fail "--immediate is for restart."
                immediate=yes
                ;;
            -*) fail "There is no option \"$argument\". --help says more." ;;
            '') fail 'The folder is named by an empty string.' ;;
            *)
                if [[ $command == standby && -n $named && -z $primary ]]; then
                    primary=$argument
                    continue
                fi
                [[ -z $named ]] || fail "One folder at a time: \"$named\" or \"$argument\"?"
                named=$argument
                ;;
        esac
    done

    # What the caller's own work with PostgreSQL needs would lead the programs astray.
    unset PGDATA PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGOPTIONS PGSERVICE PGSSLMODE PGTZ PGCLIENTENCODING PGAPPNAME
    export LC_ALL=C
    choose_folder "$named"
    # The user of the server may not be allowed to be where the caller is.
    cd /
    "$command"
}

main "$@"
