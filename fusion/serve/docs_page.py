"""The API's page, from files of an installed package: no other machine is asked."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse

from fusion.errors import Fault, FusionError

FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Fusion API</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="api"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body></html>
"""
START = "SwaggerUIBundle({url: '/openapi.json', dom_id: '#api', validatorUrl: null, deepLinking: false})\n"


def routes(app: FastAPI) -> None:
    """Add the page under /docs.

    Raises:
        FusionError: the package with the page's files is not installed.
    """
    folder = _folder()

    @app.get("/docs", include_in_schema=False)
    def _page() -> Any:
        return HTMLResponse(PAGE)

    @app.get("/docs/start.js", include_in_schema=False)
    def _start() -> Any:
        return PlainTextResponse(START, media_type="text/javascript")

    @app.get("/docs/{name}", include_in_schema=False)
    def _file(name: str) -> Any:
        if name not in FILES:
            raise HTTPException(404)
        return FileResponse(folder / name, media_type=FILES[name])


def _folder() -> Path:
    try:
        from swagger_ui_bundle import swagger_ui_path
    except ImportError as error:
        raise FusionError(
            Fault("no package swagger_ui_bundle", "the extra `serve`", "install fusion[serve]")
        ) from error
    return Path(swagger_ui_path)
