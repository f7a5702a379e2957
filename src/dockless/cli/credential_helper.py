"""`docker-credential-dockless`: the keyring's logins for docker, podman and other tools."""

import os
import sys

from dockless.credentials.cloud.token_sources import identity, of_kind
from dockless.credentials.credential_helper import HelperKeyrings, handle
from dockless.credentials.user_keyrings import every_keyring_logins, open_keyring_logins
from dockless.errors import DocklessError
from dockless.model.printable import one_line
from dockless.processes.terminal import open_standard_streams, say, tell, unwritten
from dockless.version import __version__


def main() -> None:
    """Answer one call of the credential-helper protocol, and exit."""
    open_standard_streams()
    environment = os.environ
    try:
        found = HelperKeyrings(
            all=every_keyring_logins(environment),
            preferred=lambda: open_keyring_logins("", environment),
            token_sources=lambda host: of_kind(host, environment),
            identity=identity(environment),
        )
        reads = sys.argv[1:] and sys.argv[1] in ("get", "store", "erase")
        stdin = sys.stdin.buffer.read() if reads else b""
        code, output = handle(sys.argv[1:], stdin, found, __version__)
    except DocklessError as error:
        say(one_line(str(error)))  # the protocol says errors on stdout
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        sys.stdout.buffer.write(output.reveal().encode(errors="surrogateescape"))
        sys.stdout.flush()
    except OSError as error:
        tell(unwritten(error))
        sys.exit(1)
    sys.exit(code)
