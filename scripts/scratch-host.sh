# Sourced: a Qubes host beneath one directory. Needs $repository and $root (absolute).
# Nothing outside $root is written; every process of the host has QUBES_ROOT=$root in its
# environment, by which leftovers are found.

. "$repository/scripts/common.sh"

bin=$repository/artifacts/bin
template_cache=${QUBES_TEMPLATE_CACHE:-$repository/artifacts/templates}
daemon=''

# on_host COMMAND...: with the tools on PATH and the host's root.
on_host() {
    env QUBES_ROOT="$root" PATH="$bin:$PATH" "$@"
}

# The image and the kernel, built or taken from the cache.
build_template() {
    "$repository/templates/minimal/build" --output "$template_cache/minimal" --cache "$template_cache/packages" \
        --qrexec "$bin/qrexec" --tools "$bin/qvm"
}

install_kernel() {
    local directory=$root/var/lib/qubes/vm-kernels/minimal
    mkdir -p "$directory"
    cp --update --preserve=timestamps "$template_cache/minimal/kernel"/* "$directory/"
}

start_daemon() {
    # In a session of its own: Ctrl-C is for us, who stop the guests first.
    setsid env QUBES_ROOT="$root" PATH="$bin:$PATH" \
        "$bin/qubesd" --root "$root" ${libvirt_uri:+--libvirt "$libvirt_uri"} >> "$root/var/log/qubes/qubesd.log" 2>&1 < /dev/null &
    daemon=$!
    local waited=0
    # The sockets are the last thing that appears.
    until on_host qubesd-query --fail dom0 admin.vm.List dom0 > /dev/null 2>&1 < /dev/null; do
        kill -0 "$daemon" 2>/dev/null || { tail -n 20 "$root/var/log/qubes/qubesd.log" >&2; return 1; }
        waited=$((waited + 1))
        [ "$waited" -lt 600 ] || { say "qubesd does not answer" >&2; return 1; }
        sleep 0.1
    done
}

stop_daemon() {
    [ -n "$daemon" ] || return 0
    kill -TERM "$daemon" 2>/dev/null || true
    local status=0
    wait "$daemon" || status=$?
    daemon=''
    return "$status"
}

# Processes of this host, one id a line.
host_processes() {
    local directory
    for directory in /proc/[0-9]*; do
        if grep -qzxF "QUBES_ROOT=$root" "$directory/environ" 2>/dev/null || grep -qF "$root/var/lib/qubes/" "$directory/cmdline" 2>/dev/null; then
            [ "${directory#/proc/}" = $$ ] || echo "${directory#/proc/}"
        fi
    done
}

# stop_host: guests, daemon, whatever is left. Fails when something had to be ended by force.
stop_host() {
    local status=0 id waited=0
    if [ -n "$daemon" ] && kill -0 "$daemon" 2>/dev/null; then
        on_host timeout 120 qvm-shutdown --all --wait < /dev/null || status=1
        stop_daemon || status=1
    fi
    while [ -n "$(host_processes)" ] && [ "$waited" -lt 50 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    for id in $(host_processes); do
        say "still running: $id $(tr '\0' ' ' < "/proc/$id/cmdline" 2>/dev/null | cut -c 1-120)" >&2
        kill -KILL "$id" 2>/dev/null || true
        status=1
    done
    return "$status"
}

# What may be left neither after a stop: sockets that are still listened on, mounts.
host_leftovers() {
    awk -v root="$root/" 'index($2, root) == 1 { print "mount " $2 }' /proc/self/mounts
    awk -v root="$root/" 'index($8, root) == 1 { print "socket " $8 }' /proc/net/unix
}
