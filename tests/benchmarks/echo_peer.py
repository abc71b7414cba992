# SPDX-License-Identifier: Apache-2.0
"""The bare echo of `bench challenge`, a process of its own: what comes by TCP goes back, and into a page.

`python -m tests.benchmarks.echo_peer PORT BACK` connects to 127.0.0.1:PORT. Of each LLRP frame it sends the
first BACK bytes back, and the EPC to the page's server-sent events. Prints its page's port on one line.
Nothing is decoded but a length. Ends when its connection does.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

PAGE = """<!doctype html><title>echo</title><p id="code"></p><script>
new EventSource("/events").onmessage = e => { document.getElementById("code").textContent = e.data }
</script>"""

_HEADER = 10
EPC = slice(_HEADER + 5, _HEADER + 17)
"""Where the 96 bits stand that are first in a report of one tag: behind the headers of frame and tag."""


async def main(port: int, back: int) -> None:
    streams: list[web.StreamResponse] = []

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        streams.append(response)
        await asyncio.Event().wait()
        return response

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/events", events)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    print(runner.addresses[0][1], flush=True)
    try:
        while True:
            head = await reader.readexactly(_HEADER)
            frame = head + await reader.readexactly(int.from_bytes(head[2:6], "big") - _HEADER)
            writer.write(frame[:back])
            for stream in streams:
                await stream.write(b"data: " + frame[EPC].hex().encode() + b"\n\n")
    except asyncio.IncompleteReadError:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
