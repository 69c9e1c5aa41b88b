"""Where the browser finds the viewer and the files of one answer."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, JSONResponse

from fusion.errors import Fault, FusionError
from fusion.serve.viewer.shelf import Shelf

HERE = Path(__file__).parent
LAYERS = ("image", "tumour", "external2", "heat")
KINDS = {
    ".json": "application/json", ".gz": "application/gzip", ".png": "image/png", ".html": "text/html",
    ".pdf": "application/pdf", ".dcm": "application/dicom", ".csv": "text/csv", ".zip": "application/zip",
}  # fmt: skip
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@runtime_checkable
@runtime_checkable
class Keeps(Protocol):
    """Whoever keeps answers to be shown."""

    shelf: Shelf


def routes(app: FastAPI, service: Keeps) -> None:
    """Add the viewer under /viewer and the files of the answers under /answers.

    Raises:
        FusionError: NiiVue's script is not installed.
    """
    script = niivue()

    @app.get("/viewer/niivue.js", include_in_schema=False)
    def _niivue() -> Any:
        return FileResponse(script, media_type="text/javascript", headers={"Cache-Control": "private, max-age=3600"})

    @app.get("/viewer/{name}", include_in_schema=False)
    def _own(name: str) -> Any:
        kinds = {"viewer.html": "text/html", "host.js": "text/javascript"}
        if name not in kinds:
            raise HTTPException(404)
        return FileResponse(HERE / name, media_type=kinds[name], headers={"Cache-Control": "no-cache"})

    @app.get("/answers/{own}/view.json", include_in_schema=False)
    def _view(own: str) -> Any:
        if service.shelf.file(own, "answer.json") is None:
            raise HTTPException(404)
        return JSONResponse([n for n in LAYERS if service.shelf.file(own, f"view_{n}.nii.gz")], headers=PRIVATE)

    @app.get("/answers/{own}/{name}", include_in_schema=False)
    def _file(own: str, name: str, save: bool = False) -> Any:
        path = service.shelf.file(own, name)
        if path is None or path.suffix not in KINDS:
            raise HTTPException(404)
        return FileResponse(path, media_type=KINDS[path.suffix], filename=name if save else None, headers=PRIVATE)


def niivue() -> Path:
    """NiiVue's script, from the installed package that carries it."""
    from importlib.util import find_spec

    found = find_spec("ipyniivue")
    if found is None or found.origin is None:
        raise FusionError(Fault("no package ipyniivue", "the extra `serve`", "install fusion[serve]"))
    return Path(found.origin).parent / "static" / "widget.js"
