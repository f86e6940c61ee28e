# Sourced by ./run, ./test and their parts. Needs $repository.

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# as_root COMMAND...: directly as root, else through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}

# Nothing here reports to anybody, and the compiler's servers do not outlive us.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export MSBUILDDISABLENODEREUSE=1

# One compiler for all projects instead of a cold one for each; it ends with the script.
compiler_server=(-p:UseSharedCompilation=true)
stop_compiler_server() { dotnet build-server shutdown --vbcscompiler > /dev/null 2>&1 || true; }

# What the system is made of at run time, and what linking native programs takes. libvirt-daemon starts no
# daemon: it has the part of libvirt that follows an image to those it lies on.
packages=(qemu-system-x86 qemu-utils libvirt0 libvirt-daemon-driver-qemu libvirt-daemon libssl3 busybox-static e2fsprogs util-linux gcc libc6-dev)

# install_packages: adds those of ${packages[@]} that are missing; asks nothing and starts no daemon.
install_packages() {
    command -v apt-get > /dev/null || fail "this needs Debian's apt-get"
    local package missing=()
    for package in "${packages[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    # The guest's kernel comes from apt as well, so its lists have to be there.
    if [ ${#missing[@]} -gt 0 ] || ! apt-cache policy linux-image-cloud-amd64 2>/dev/null | grep 'Candidate: [0-9]' > /dev/null; then
        as_root apt-get -q=2 update
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        say "Installing Debian packages: ${missing[*]}"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install "${missing[@]}" > /dev/null
    fi
    prepare_guest_account
}

# prepare_guest_account: what udev and libvirt's service package do on a full installation, with the same names
# and numbers. libvirt does not open its QEMU driver without the account, and where the account cannot open
# /dev/kvm it finds out anew with each call what QEMU can do, for minutes.
prepare_guest_account() {
    getent group libvirt-qemu > /dev/null || as_root groupadd --system --gid 64055 libvirt-qemu
    # It warns that the number is no system one; it is the one Debian has set aside.
    getent passwd libvirt-qemu > /dev/null || as_root useradd --system --uid 64055 --gid libvirt-qemu \
        --no-create-home --home-dir /var/lib/libvirt --shell /usr/sbin/nologin libvirt-qemu 2> /dev/null
    getent group kvm > /dev/null || as_root groupadd --system kvm
    if [ -c /dev/kvm ] && [ "$(stat -c %G /dev/kvm)" = root ]; then
        as_root chgrp kvm /dev/kvm
        as_root chmod 0660 /dev/kvm
    fi
}

# prepare_daemon_account: what packaging/sysusers.d/qubes.conf does on an installed host, so that what reads guests'
# bytes does not run as root. Where the group has members, the first of them is who it runs as.
prepare_daemon_account() {
    getent group qubes > /dev/null || as_root groupadd --system qubes
    getent passwd qubes-daemon > /dev/null || as_root useradd --system --gid qubes --comment "Daemons of qubes" \
        --no-create-home --home-dir / --shell /usr/sbin/nologin qubes-daemon
}

check_sdk() {
    command -v dotnet > /dev/null || fail "the .NET 10 SDK is needed: https://learn.microsoft.com/dotnet/core/install/linux-debian"
    case $(dotnet --version) in
        10.*) ;;
        *) fail "the .NET SDK is $(dotnet --version), 10 is needed" ;;
    esac
}
