"""Asks every route of a locked server, Gradio's among them, without its password: prints statuses by path as JSON.

A program of its own, as Gradio leaves event loops open behind it.
"""

import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from starlette.testclient import TestClient

from fusion.serve import server
from fusion.serve.login import User
from fusion.serve.service import Service

KEY = {"authorization": "Basic " + base64.b64encode(b"radiology:horse").decode()}


def paths(application: object, before: str, seen: set[int]) -> Iterator[str]:
    """Of an application and of those mounted in it."""
    application = getattr(application, "_app", None) or application  # the page, once it is made
    if id(application) in seen:
        return
    seen.add(id(application))
    for route in getattr(application, "routes", []):
        path = before + getattr(route, "path", "").replace(":path", "").translate({123: None, 125: None})
        yield path or "/"
        if not hasattr(route, "endpoint"):  # mounted, or a router that was included
            yield from paths(getattr(route, "app", None) or route.original_router, path, seen)


def main(bundle: str, desk: str) -> None:
    with Service.open([Path(bundle)], desk_parent=Path(desk)) as service:
        application = server.app(service, login=User("radiology", "horse"))
        with TestClient(application, base_url="http://127.0.0.1") as client:
            while client.get("/", headers=KEY).status_code == 503:
                time.sleep(0.1)
            page = client.get("/", headers=KEY).status_code
            all_ = sorted(set(paths(application, "", set())))
            told = {path: [client.request(method, path).status_code for method in ("GET", "POST")] for path in all_}
    print(json.dumps({"page": page, "without": told}))


if __name__ == "__main__":
    main(*sys.argv[1:])
