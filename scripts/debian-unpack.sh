#!/bin/sh
# Unpack one package of another Debian suite into a folder; nothing of the system is changed.
# Usage: debian-unpack.sh PACKAGE SUITE FOLDER
set -eu

package=$1 suite=$2 folder=$3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(sh "$(dirname "$0")/debian-mirror.sh")

mkdir -p "$(dirname "$folder")"
parent=$(cd "$(dirname "$folder")" && pwd)
scratch=$(mktemp -d "$parent/unpack.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/etc/sources.list.d" "$scratch/etc/preferences.d"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$scratch/etc/sources.list"

private() {
    apt-get -qq -o Dir::Etc="$scratch/etc" -o Dir::State="$scratch" \
        -o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch/cache" \
        -o Dir::State::status=/var/lib/dpkg/status -o APT::Sandbox::User= "$@"
}
private update
(cd "$scratch" && private download "$package")
dpkg -x "$scratch/$package"_*.deb "$scratch/root"
rm -rf "$folder"
mv "$scratch/root" "$folder"
