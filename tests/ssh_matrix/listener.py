"""What listens on port 22 and is no SSH server: `python listener.py silent|closing|web`."""

import socket
import sys
import time

_SECONDS = 120.0


def main(kind: str) -> None:
    """Listen for two minutes."""
    until = time.monotonic() + _SECONDS
    held = []
    with socket.create_server(("127.0.0.1", 22)) as server:
        print("listening on port 22", flush=True)  # noqa: T201 - what the test waits for
        server.settimeout(_SECONDS)
        while time.monotonic() < until:
            client, _ = server.accept()
            if kind == "web":
                client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            if kind == "silent":
                held.append(client)
            else:
                client.close()


if __name__ == "__main__":
    main(sys.argv[1])
