"""A server in a thread of its own, as every server of these tests runs."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator

_LOOK_SECONDS = 0.02


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve while the block lasts; then end the server, and wait for that."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _LOOK_SECONDS})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
