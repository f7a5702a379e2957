#!/bin/sh
# Print the address of the Debian mirror that apt's sources name.
set -eu

# The names are apt's to fill in, not the shell's.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --no-release-info --format '$(COMPONENT) $(RELEASE) $(REPO_URI)' \
    'Identifier: Packages' | awk '$1 == "main" && $2 ~ /^[a-z]+$/ { print $3; exit }')
if [ -z "$mirror" ]; then
    echo "apt's sources name no Debian mirror, so no package of another suite can be fetched." >&2
    exit 1
fi
echo "$mirror"
