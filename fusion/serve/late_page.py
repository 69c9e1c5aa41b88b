"""The page, mounted at once and built in a thread: Gradio takes seconds to import, and the API need not wait for it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from fastapi.responses import HTMLResponse

from fusion.serve.login import App, Receive, Scope, Send
from fusion.serve.worker_process import where

STARTING = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fusion</title>
<meta http-equiv="refresh" content="1"></head><body><p>Starting...</p></body></html>"""
FAILED = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fusion</title></head>
<body><p>The page could not be made ({}). The API answers; see <a href="/docs">its page</a>.</p></body></html>"""


class LatePage:
    """An ASGI application that says "starting" until the one that ``make`` gives is there."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._app: App | None = None
        self._failed = ""
        self.ready = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        """While the block lasts, the page is being made, then running."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def _run(self, stop: asyncio.Event) -> None:
        try:
            made = await asyncio.to_thread(self._make)
        except Exception as error:  # told on the page; the API goes on
            self._failed = where(error)
            self.ready.set()
            return
        async with made.router.lifespan_context(made):  # entered and left in one task, as its task groups ask for
            self._app = made
            self.ready.set()
            await stop.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The page, or what is to be said instead."""
        if self._app is not None:
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return None
        answer = HTMLResponse(FAILED.format(self._failed), 500) if self._failed else HTMLResponse(
            STARTING, 503, {"retry-after": "1"})  # fmt: skip
        await answer(scope, receive, send)
