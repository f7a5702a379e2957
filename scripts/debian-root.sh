#!/bin/sh
# Unpack packages of another Debian suite, with every library they need, into a folder; nothing of
# the system is changed, and no script of a package is run.
# With --newest, print the versions that the suite has of the packages instead.
# Usage: debian-root.sh SUITE FOLDER PACKAGE…
#        debian-root.sh --newest SUITE PACKAGE…
set -eu

if [ "$1" = --newest ]; then
    newest=yes suite=$2 folder=${TMPDIR:-/tmp}/newest
else
    newest='' suite=$1 folder=$2
fi
shift 2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(sh "$(dirname "$0")/debian-mirror.sh")

mkdir -p "$(dirname "$folder")"
parent=$(cd "$(dirname "$folder")" && pwd)
scratch=$(mktemp -d "$parent/unpack.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/root"
# an empty status: no library counts as installed, so that all of them come
: >"$scratch/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$scratch/sources.list"

private() {
    command=$1
    shift
    "$command" -qq -o Dir::Etc::sourcelist="$scratch/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State="$scratch" -o Dir::State::status="$scratch/status" \
        -o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch/cache" \
        -o Acquire::Languages=none -o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}
private apt-get update
if [ "$newest" ]; then
    private apt-cache show --no-all-versions "$@" | sed -n 's/^Version: //p'
    exit
fi
private apt-get install --yes --no-install-recommends --download-only "$@" >/dev/null
for package in "$scratch"/cache/archives/*.deb; do
    dpkg -x "$package" "$scratch/root"
done
rm -rf "$scratch/root/usr/share/doc" "$scratch/root/usr/share/locale" "$scratch/root/usr/share/man"
rm -rf "$folder"
mv "$scratch/root" "$folder"
