#!/bin/sh
# Install into a virtual environment, which is made first if it is not there.
# Usage: venv.sh FOLDER PIP-ARGUMENTS…
set -eu

venv=$1
shift

# The system's own Python first: other accounts may run it, which the podman tests rely on.
find_python() {
    for name in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "dockless needs Python 3.11 or later; there is none on PATH." >&2
    return 1
}

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    if ! "$python" -m venv --clear "$venv"; then
        echo "$python cannot make virtual environments; on Debian: apt-get install python3-venv." >&2
        exit 1
    fi
    # --group came with pip 25.1.
    "$venv/bin/pip" install --quiet --upgrade 'pip>=25.1'
fi
exec "$venv/bin/pip" install --quiet "$@"
