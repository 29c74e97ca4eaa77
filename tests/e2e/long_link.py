"""A long link for tests, where the kernel has none: passes TCP connections on, each byte a fixed time later.

`python long_link.py LISTEN_HOST HOST PORT DELAY_MS` listens on the same port and prints a line when it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

_CHUNK_BYTES = 1 << 18
_CHUNKS_UNDER_WAY = 512
"""Bounds what is under way, as a cable does."""


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """One direction of one connection, until it ends."""
    clock = asyncio.get_running_loop().time
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_UNDER_WAY)

    async def arrive() -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - clock())
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    arriving = asyncio.create_task(arrive())
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK_BYTES):
            await under_way.put((clock() + delay_s, data))
    await under_way.put((clock() + delay_s, b""))
    with contextlib.suppress(ConnectionError):
        await arriving


async def main(listen_host: str, host: str, port: int, delay_s: float) -> None:
    """Serve until killed."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, port)
        await asyncio.gather(carry(reader, back, delay_s), carry(there, writer, delay_s))

    server = await asyncio.start_server(connected, listen_host, port)
    print("listening", flush=True)  # noqa: T201  whoever started this waits for the line
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]) / 1000))
