# Sourced by ./run: the main job, step by step, each with the command a person could type.

failures=0
quote='  | '

heading() { printf '\n== %s\n' "$*"; }
note() { printf -- '-- %s\n' "$*"; }

missed() { printf '!! %s\n' "$*"; failures=$((failures + 1)); }

# shows COMMAND-LINE: prints it, runs it on the host, shows what it says; its status and output
# stay in $status and $output.
shows() {
    printf '$ %s\n' "$1"
    status=0
    output=$(on_host bash -c "$1" < /dev/null 2>&1 | tr '\0' ' '; exit "${PIPESTATUS[0]}") || status=$?
    [ -z "$output" ] || printf '%s\n' "$output" | sed "s/^/$quote/"
}

# does COMMAND-LINE: as shows, and has to succeed.
does() {
    shows "$1"
    [ "$status" = 0 ] || missed "status $status, expected 0"
}

# refuses COMMAND-LINE: as shows, and has to fail.
refuses() {
    shows "$1"
    [ "$status" != 0 ] || missed "this should have been refused"
}

# says TEXT: the last output has to contain it.
says() { case $output in *"$1"*) ;; *) missed "expected to see: $1" ;; esac; }

state_is() {
    output=$(on_host qvm-ls --raw-data --fields STATE "$1" 2>&1 < /dev/null | tail -n 1)
    says "$2"
}

exists() { on_host qvm-check --quiet "$1" > /dev/null 2>&1 < /dev/null; }

# Prints events as they come, one a line: a "1", subject, name, then pairs, an empty one at the end.
print_events() {
    local word kind subject event line
    while IFS= read -r -d '' kind && IFS= read -r -d '' subject && IFS= read -r -d '' event; do
        line="${subject:-(system)} $event"
        while IFS= read -r -d '' word && [ -n "$word" ]; do
            IFS= read -r -d '' kind
            line+=" $word=$kind"
        done
        printf '  event: %s\n' "$line"
    done
}

# Into a file for the end of the tour, and shown at once to who looks there.
begin_events() {
    : > "$root/var/log/qubes/tour-events.log"
    env QUBES_ROOT="$root" "$bin/qubesd-query" --empty dom0 admin.Events dom0 2>/dev/null < /dev/null \
        > >(print_events >> "$root/var/log/qubes/tour-events.log") &
    events=$!
}

step_template() {
    heading "1. A template from Debian packages"
    note "templates/minimal/build: kernel, busybox and our qrexec agent"
    build_template || { missed "the template could not be built"; return; }
    install_kernel
    does "qubes-prefs default_kernel minimal"
    if ! exists minimal; then
        does "qvm-create --class TemplateVM --label black minimal"
    fi
    does "qvm-volume import minimal:root $template_cache/minimal/root.img"
    does "qvm-features minimal qrexec 1"
    does "qvm-features minimal vmexec 1"
    does "qubes-prefs default_template minimal"
}

step_boot() {
    heading "2. Qubes from it"
    local qube label=red
    for qube in work mgmt third; do
        if ! exists "$qube"; then does "qvm-create --template minimal --label $label $qube"; fi
        does "qvm-prefs $qube memory 256"
        label=blue
    done
    does "qvm-ls"
    says work
    does "qvm-start work mgmt"
    state_is work Running
    does "qvm-run --pass-io work 'uname -a'"
    says Linux
    does "echo hello | qvm-run --pass-io work 'tr a-z A-Z; exit 0'"
    shows "qvm-run --pass-io work 'exit 7'"
    [ "$status" = 7 ] || missed "status $status, expected the command's own, 7"
}

write_policy() {
    cat > "$root/etc/qubes/policy.d/30-tour.policy" <<'POLICY'
# mgmt may list all qubes, and start and stop the one called third. Nobody else may.
admin.vm.List      *  mgmt  @adminvm  allow  target=@adminvm
admin.vm.List      *  mgmt  third     allow  target=@adminvm
admin.vm.Start     *  mgmt  third     allow  target=@adminvm
admin.vm.Shutdown  *  mgmt  third     allow  target=@adminvm
admin.vm.List      *  work  @adminvm  deny
POLICY
}

step_inside() {
    heading "3. The Admin API from inside a qube"
    note "etc/qubes/policy.d/30-tour.policy:"
    write_policy
    sed "s/^/$quote/" "$root/etc/qubes/policy.d/30-tour.policy"
    does "qvm-run --pass-io mgmt 'qrexec-client-vm dom0 admin.vm.List'"
    says "third class=AppVM state=Halted"
    does "qvm-run --pass-io mgmt 'qrexec-client-vm third admin.vm.Start'"
    state_is third Running
    does "qvm-run --pass-io mgmt 'qrexec-client-vm third admin.vm.Shutdown'"
    note "the same call from work is denied"
    refuses "qvm-run --pass-io work 'qrexec-client-vm dom0 admin.vm.List'"
    says "Request refused"
    note "and the log says by which line of which file"
    does "grep -h 'admin.vm.List.*work.*denied\|denied.*admin.vm.List' $root/var/log/qubes/*.log | tail -n 1"
    says "30-tour.policy:6"
}

step_restart() {
    heading "4. Events, restart, shutdown"
    note "what admin.Events has told since step 2, the last lines:"
    output=$(tail -n 12 "$root/var/log/qubes/tour-events.log")
    printf '%s\n' "$output"
    says "domain-start"
    kill "$events" 2>/dev/null || true
    wait "$events" 2>/dev/null || true
    note "qubesd is stopped and started; work runs on and is found again"
    stop_daemon || missed "qubesd ended with status $?"
    start_daemon || missed "qubesd did not start again"
    state_is work Running
    does "qvm-run --pass-io work 'cat /proc/uptime'"
    does "qvm-shutdown --wait work mgmt third"
    state_is work Halted
    state_is mgmt Halted
    does "qvm-ls"
}

run_tour() {
    step_template
    begin_events
    step_boot
    step_inside
    step_restart
    if [ "$failures" = 0 ]; then
        heading "The tour is over; every step did what it should."
    else
        heading "The tour is over; $failures steps did not do what they should. Logs: $root/var/log/qubes"
    fi
}
