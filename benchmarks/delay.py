"""A TCP relay that holds every byte back for a while, as a long way would.

`python -m benchmarks.delay PORT MILLISECONDS` listens on a free port of loopback, which it prints,
and leads to PORT. Each direction takes so long; bandwidth is not limited.
"""

import asyncio
import contextlib
import sys

_CHUNK = 64 * 1024


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
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
            waiting.put_nowait((loop.time() + seconds, data))
    waiting.put_nowait((loop.time() + seconds, b""))
    with contextlib.suppress(OSError):
        await arriving


async def _serve(port: int, seconds: float) -> None:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, back, seconds), _carry(there, writer, seconds))
        for each in (back, writer):
            each.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
