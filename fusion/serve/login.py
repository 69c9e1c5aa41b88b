"""HTTP Basic before everything that is served: page, API, documents, files, event streams."""

import asyncio
import base64
import binascii
import hmac
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

FAILURES = 10
WINDOW_S = 60.0
"""After so many wrong passwords in so many seconds an address waits, right password or not."""
ADDRESSES = 10_000
DELAY_S = 0.5
"""Before a wrong password is told."""


@dataclass(frozen=True)
class User:
    """Who may enter."""

    name: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what HTTP Basic cannot say."""
        if not self.name or ":" in self.name or not self.password:
            raise ValueError("a name without a colon, and a password")


class Login:
    """An ASGI application that lets nobody past without the password."""

    def __init__(self, app: App, user: User, delay_s: float = DELAY_S) -> None:
        self.app, self.delay_s = app, delay_s
        self._expected = f"{user.name}:{user.password}".encode()
        self._failed: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 401 or 429."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        address = (scope.get("client") or ("",))[0]
        if self._locked(address):
            return await _refuse(scope, send, 429, b"too many wrong passwords; wait a minute", ())
        given = _given(scope)
        if given is not None and hmac.compare_digest(given, self._expected):
            self._failed.pop(address, None)
            return await self.app(scope, receive, send)
        if given is not None:
            self._note(address)
            await asyncio.sleep(self.delay_s)
        asks = (b"www-authenticate", b'Basic realm="fusion", charset="UTF-8"')
        await _refuse(scope, send, 401, b"a user and password are needed", (asks,))

    def _locked(self, address: str) -> bool:
        failed = self._failed.get(address)
        if failed is None:
            return False
        while failed and time.monotonic() - failed[0] > WINDOW_S:
            failed.popleft()
        return len(failed) >= FAILURES

    def _note(self, address: str) -> None:
        if len(self._failed) >= ADDRESSES:
            self._failed.pop(next(iter(self._failed)))
        self._failed.setdefault(address, deque()).append(time.monotonic())


def _given(scope: Scope) -> bytes | None:
    """Name and password as sent; None where none are."""
    header = next((value for name, value in scope["headers"] if name == b"authorization"), None)
    if header is None or header[:6].lower() != b"basic ":
        return None
    try:
        return base64.b64decode(header[6:].strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


async def _refuse(
    scope: Scope, send: Send, status: int, words: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    plain = ((b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *headers]})
    await send({"type": "http.response.body", "body": words})
