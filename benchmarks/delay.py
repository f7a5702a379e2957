"""A TCP relay that is a long and narrow way to a port.

`python -m benchmarks.delay PORT MILLISECONDS [BYTES_A_SECOND]` listens on a free port of loopback,
which it prints, and leads to PORT. Each direction takes so long; and of what is sent to PORT, only
so many bytes pass in a second, over all connections, unless that is left out.
"""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator

_CHUNK = 64 * 1024
_BUFFER = 256 * 1024
_BURST_SECONDS = 0.02
Pace = Callable[[int], Awaitable[None]]


@contextlib.contextmanager
def far(port: str, milliseconds: float, bytes_a_second: int | None = None) -> Iterator[str]:
    """Run a relay to a port of loopback; yield where it listens.

    Args:
        port: The port.
        milliseconds: What each direction takes.
        bytes_a_second: What passes at most; None for everything.
    """
    argv = [sys.executable, "-m", "benchmarks.delay", port, str(milliseconds)]
    if bytes_a_second:
        argv.append(str(bytes_a_second))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as relay:
        try:
            yield f"127.0.0.1:{(relay.stdout or sys.stdin).readline().strip()}"
        finally:
            relay.terminate()


async def _at_once(_: int) -> None:
    """Let everything pass."""


def _narrow(rate: float) -> Pace:
    """Return what waits until so many bytes may pass."""
    free = 0.0

    async def wait(count: int) -> None:
        nonlocal free
        loop = asyncio.get_running_loop()
        free = max(free, loop.time() - _BURST_SECONDS) + count / rate
        await asyncio.sleep(free - loop.time())

    return wait


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, pace: Pace
) -> None:
    """Carry bytes from one side to the other, each after so many seconds."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        while True:
            due, data = await waiting.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    arriving = asyncio.create_task(arrive())
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            await pace(len(data))
            waiting.put_nowait((loop.time() + seconds, data))
    waiting.put_nowait((loop.time() + seconds, b""))
    with contextlib.suppress(OSError):
        await arriving


async def _serve(port: int, seconds: float, pace: Pace) -> None:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            _carry(reader, back, seconds, pace), _carry(there, writer, seconds, _at_once)
        )
        for each in (back, writer):
            each.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0, limit=_BUFFER)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    _, port, milliseconds, *rate = sys.argv
    asyncio.run(
        _serve(int(port), float(milliseconds) / 1000, _narrow(float(rate[0])) if rate else _at_once)
    )
