"""The Python host of capabilities: standard library only, Python 3.9 or newer.

    python3 switchyard_capability_host        serves one broker on stdio, and ends with it

A capability is one file with a function `create(settings)`; what it returns has `methods` (a dict of functions or
coroutine functions, whose first parameter is the call), and may have `lease_ended(lease_id, account)` and `dispose()`.
"""

import asyncio
import os
import sys

from host import Host
from session import MAX_LINE_BYTES, Session


async def serve(output):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, output)
    await Session(reader, asyncio.StreamWriter(transport, protocol, None, loop), Host()).run()
    sys.stderr.flush()
    # Methods may still run on threads; the broker is gone, so nobody waits for them.
    os._exit(0)


if __name__ == "__main__":
    # What a capability prints must not end up between the messages, in whatever way it prints.
    messages = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    asyncio.run(serve(messages))
