"""API, its documents, viewer and page as one application behind guard and login; and the server that runs it."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from fusion.serve import api, docs_page
from fusion.serve.guard import LOCAL, Guard
from fusion.serve.late_page import LatePage
from fusion.serve.login import Login, User
from fusion.serve.service import Service
from fusion.serve.start import Place
from fusion.serve.viewer import routes as viewer

QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_RUN_HISTORY": "False", "GRADIO_SSR_MODE": "False",
    "GRADIO_MCP_SERVER": "False", "GRADIO_SHARE": "False", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}  # fmt: skip
"""Read by Gradio and what it brings when they are imported."""
GRACE_S = 3


def app(
    service: Service, login: User | None = None, page: bool = True, hosts: tuple[str, ...] | None = LOCAL
) -> FastAPI:
    """Everything that is served.

    Args:
        service: that answers.
        login: who may enter; None for everyone who can reach the address.
        page: with the page at /; without, API and viewer alone.
        hosts: names by which the server may be called; None for any.
    """
    late = LatePage(lambda: _page(service)) if page else None

    @contextlib.asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            if late is not None:
                await stack.enter_async_context(late.running())
            yield

    own = FastAPI(title="Fusion", version=version("fusion"), docs_url=None, redoc_url=None, lifespan=running,
                  description="Research use only.")  # fmt: skip
    own.openapi_version = "3.0.3"  # what the installed page of the API can show
    api.routes(own, service)
    docs_page.routes(own)
    viewer.routes(own, service)
    if late is not None:
        own.mount("/", late)
    if login is not None:
        own.add_middleware(Login, user=login)
    own.add_middleware(Guard, body_bytes=service.desk.limits.request_bytes, hosts=hosts)
    return own


def _page(service: Service) -> FastAPI:
    """Gradio's application, which keeps its uploads on the desk and calls nobody."""
    folder = service.desk.folder / "page"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ.update(QUIET | {"GRADIO_TEMP_DIR": str(folder)})
    import gradio as gr

    from fusion.serve import page

    blocks = page.build(service)
    return gr.mount_gradio_app(
        FastAPI(openapi_url=None), blocks, path="/", max_file_size=service.desk.limits.file_bytes, footer_links=[],
        run_history=False, ssr_mode=False, enable_monitoring=False, mcp_server=False, pwa=False, **page.options(),
    )  # fmt: skip


def run(service: Service, place: Place, listening: socket.socket, login: User | None = None) -> None:
    """Serve at ``place``, where ``listening`` listens, until Ctrl-C or SIGTERM."""
    hosts = (*LOCAL, place.host) if place.is_local else None
    signal.signal(signal.SIGTERM, _leave)
    server = _server(app(service, login, hosts=hosts), place)
    service.worker.ready.add_done_callback(lambda ready: _told_ready(ready, server))
    server.run(sockets=[listening])
    if service.worker.ready.done() and (error := service.worker.ready.exception()) is not None:
        raise error


def _server(application: FastAPI, place: Place) -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(f"listening on {place.address}; research use only; Ctrl-C stops", flush=True)

    # Neither paths nor tracebacks are logged: both may hold what is nobody's business.
    return Server(uvicorn.Config(
        application, log_level="critical", access_log=False, server_header=False, timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=place.certificate, ssl_keyfile=place.key, ws="none", proxy_headers=False,
    ))  # fmt: skip


def _told_ready(ready: Any, server: Any) -> None:
    if ready.cancelled() or ready.exception() is not None:
        server.should_exit = True
        return
    print(f"models ready after {ready.result():.1f} s", flush=True)


def _leave(*_: object) -> None:
    """SIGTERM ends as Ctrl-C does, so that uploads are removed."""
    if threading.current_thread() is threading.main_thread():
        raise SystemExit(0)
