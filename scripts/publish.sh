#!/bin/bash
# Publishes the three programs as native binaries and links the names they are called by:
# artifacts/bin is what a package would put into /usr/bin. Does nothing when no source is newer.

set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$repository/scripts/common.sh"

artifacts=$repository/artifacts
bin=$artifacts/bin
stamp=$artifacts/published
mkdir -p "$bin"
exec 9> "$artifacts/lock"
flock 9

if [ -e "$stamp" ] && [ -z "$(cd "$repository" && find apps src Directory.*.props Directory.*.targets global.json \
        \( -name bin -o -name obj \) -prune -o -type f -newer "$stamp" -print -quit)" ]; then
    exit 0
fi

begun=$(mktemp "$artifacts/begun.XXXXXX")
trap 'rm -f "$begun"; stop_compiler_server' EXIT
for program in qubesd qvm qrexec; do
    output=$artifacts/publish/$program
    dotnet publish "$repository/apps/$program" -c Release -o "$output" -v quiet --nologo "${compiler_server[@]}"
    # Replaced, not overwritten: a running one keeps its file.
    install -m 0755 "$output/$program" "$bin/$program.new"
    mv -f "$bin/$program.new" "$bin/$program"
done

# All multi-call programs say in their help which names they answer to.
link_names() {
    local name
    for name in $({ "$bin/$1" --help 2>&1 || true; } | sed -nE 's/^(Tools|programs): //p'); do
        ln -sfn "$1" "$bin/$name"
    done
}
link_names qvm
link_names qrexec
link_names qubesd

# Dated when the build began: what changed since is built next time.
mv "$begun" "$stamp"
