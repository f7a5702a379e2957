#!/bin/sh
# Install those of the Debian packages listed in a file that are missing; as root, or through sudo.
set -eu

if ! command -v dpkg-query >/dev/null; then
    echo "The tests need Debian or a system made from it; there is no dpkg-query here." >&2
    exit 1
fi

missing=
while read -r package; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done <"$1"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo true; }; }; then
    as_root=sudo
else
    echo "These Debian packages are missing, and only root may install them:$missing" >&2
    exit 1
fi

echo "Installing:$missing"
# The lists and the variables hold one word an item, to be split.
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive sh -euc '
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends "$@"
' install $missing
