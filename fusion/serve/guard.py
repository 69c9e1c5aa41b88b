"""What every request passes first: is it meant for this server, is it small enough, and what its answer may load."""

import json
from collections.abc import MutableMapping
from typing import Any

from starlette.formparsers import MultiPartException

from fusion.errors import Fault
from fusion.serve.login import App, Receive, Scope, Send
from fusion.serve.worker_process import where

LOCAL = ("127.0.0.1", "localhost", "[::1]")
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; frame-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)
"""Gradio's page and NiiVue have scripts and styles inline and workers from blobs; nothing comes from elsewhere."""
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
ROOM_BYTES = 2**20
"""Of a request beyond its files."""


class Guard:
    """An ASGI application in front of all others."""

    def __init__(self, app: App, body_bytes: int, hosts: tuple[str, ...] | None) -> None:
        """Before ``app``.

        Args:
            app: gets what passes.
            body_bytes: largest request.
            hosts: names by which the server may be called, without port; None for any, as behind a login.
        """
        self.app, self.body_bytes, self.hosts = app, body_bytes + ROOM_BYTES, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 400, 403, 413; a failure inside becomes 500 without its words."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refused(headers)
        if refused is not None or scope["type"] != "http":
            return await self._other(scope, receive, send, refused)
        counted = _Counted(self.body_bytes, receive, _Dressed(scope["path"], send))
        try:
            await self.app(scope, counted.receive, counted.send)
        except Exception as error:  # its words may quote a file, so only its place is told
            if not counted.too_large:
                found = f"a failure inside the program ({where(error)})"
                await counted.answer(500, Fault(found, "an answer", "try again"))
        if counted.too_large:
            remedy = "crop the image round the tumour, or start the server with a larger --limit-mb"
            found, expected = "a request that is too large", f"{self.body_bytes / 1e6:,.0f} MB at most"
            await counted.answer(413, Fault(found, expected, remedy))

    def _refused(self, headers: dict[bytes, str]) -> tuple[int, Fault] | None:
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if self.hosts is not None and _name(host) not in self.hosts:
            fault = Fault("a request to another host", f"one of {', '.join(self.hosts)}", "open the printed address")
            return 400, fault
        foreign = origin is not None and origin.partition("://")[2] != host
        if foreign or (headers.get(b"sec-fetch-site") == "cross-site" and headers.get(b"sec-fetch-mode") != "navigate"):
            return 403, Fault("a request from another web page", "one from this server's page", "open the page itself")
        if (length := headers.get(b"content-length", "0")).isdigit() and int(length) > self.body_bytes:
            found, expected = "a request that is too large", f"{self.body_bytes / 1e6:,.0f} MB at most"
            return 413, Fault(found, expected, "upload less, or start the server with a larger --limit-mb")
        return None

    async def _other(self, scope: Scope, receive: Receive, send: Send, refused: tuple[int, Fault] | None) -> None:
        if refused is None:
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        await _Counted(0, receive, _Dressed(scope["path"], send)).answer(*refused)


class _TooLargeError(MultiPartException):
    """Stops whoever reads the body; of a kind on which Starlette's parser closes what it has of the form's files."""


class _Counted:
    """A request whose body is counted while it is read, and whose answer starts once."""

    def __init__(self, most: int, receive: Receive, send: Send) -> None:
        self._left, self._receive, self._send = most, receive, send
        self.too_large = self._started = False

    async def receive(self) -> MutableMapping[str, Any]:
        if self.too_large:
            raise _TooLargeError("too large")
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.too_large = True
            raise _TooLargeError("too large")
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if self.too_large and not self._started:
            return  # what the application makes of the error above; 413 follows
        self._started = True
        await self._send(message)

    async def answer(self, status: int, fault: Fault) -> None:
        """The fault as JSON, unless an answer has begun."""
        if self._started:
            return
        self._started = True
        body = json.dumps({"faults": [told(fault)]}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


class _Dressed:
    """Sends answers with headers that keep them private and their loads at home."""

    def __init__(self, path: str, send: Send) -> None:
        self._path, self._send = path, send

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": self._headers(message.get("headers", []))}
        await self._send(message)

    def _headers(self, own: Any) -> list[tuple[bytes, bytes]]:
        kept = [(n, v) for n, v in own if not n.lower().startswith(b"access-control-") and n.lower() != b"server"]
        names = {name.lower() for name, _ in kept}
        policy = API_POLICY if self._path.startswith("/api/") else PAGE_POLICY
        more = [*HEADERS, (b"content-security-policy", policy.encode()), (b"cache-control", b"no-store")]
        return kept + [(name, value) for name, value in more if name not in names]


def told(fault: Fault) -> dict[str, str | None]:
    """A fault as JSON says it."""
    words = {"found": fault.found, "expected": fault.expected, "remedy": fault.remedy}
    return {"message": str(fault), **words, "file": fault.file, "case": fault.case}


def _name(host: str) -> str:
    """The host without its port."""
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
