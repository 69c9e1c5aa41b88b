"""The HTTP API: uploads in, answers out as JSON; every refusal says what was found, expected and helps."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException as ParseError

from fusion.errors import Fault, FusionError
from fusion.serve import api_docs, cohort_files
from fusion.serve.asked import Outputs
from fusion.serve.guard import told
from fusion.serve.limits import TooLargeError, UnknownKindError, UploadError
from fusion.serve.service import Question, Service
from fusion.serve.worker import BusyError, FailedError, MemoryLimitError, OverTimeError, StoppedError

STATUS: tuple[tuple[type[FusionError], int], ...] = (
    (TooLargeError, 413), (MemoryLimitError, 413), (UnknownKindError, 415), (BusyError, 503), (StoppedError, 503),
    (OverTimeError, 504), (FailedError, 500),
)  # fmt: skip
UNREADABLE = 422
CLINICAL = "clinical_"
OUTPUTS = ("sheet_html", "sheet_pdf", "dicom", "viewer")
WORDS = ("bundle", "model", "output", "explain")
FIELDS = 256
WORD_BYTES = 2**16
"""Longest field that is no file."""


@dataclass(frozen=True)
class _Asked:
    """A form, taken apart."""

    bundle: str
    uploads: Mapping[str, UploadFile]
    question: Question
    outputs: frozenset[str]


def routes(app: FastAPI, service: Service) -> None:
    """Add the API under /api."""
    pool = ThreadPoolExecutor(service.worker.bounds.waiting + 8, thread_name_prefix="api")
    _add_answers(app, service, pool)
    _add_bundles(app, service)
    app.add_exception_handler(FusionError, _refused)


def _add_answers(app: FastAPI, service: Service, pool: ThreadPoolExecutor) -> None:
    places = asyncio.Semaphore(service.worker.bounds.waiting)

    async def answered(request: Request, answer: Callable[[_Asked, Path, Mapping[str, Path], Path], Any]) -> Any:
        if places.locked():  # bodies that are being read take room on the disk too
            raise BusyError(
                Fault(f"{service.worker.bounds.waiting} requests under way", "fewer", "try again in a minute")
            )
        async with places, _form(request, service) as form:
            asked = _taken_apart(form, service)
            work = asyncio.get_running_loop().run_in_executor(pool, _in_request, service, asked, answer)
            return JSONResponse(await work)

    @app.post("/api/predict", **api_docs.predict(service))
    async def _predict(request: Request) -> Any:
        """One case: image and mask, or slices by sequence, with its clinical values."""
        return await answered(request, lambda *given: _case(service, *given))

    @app.post("/api/cohort", **api_docs.cohort())
    async def _cohort(request: Request) -> Any:
        """Every row of a cohort table, which comes with its files in a zip."""
        return await answered(request, lambda *given: _table(service, *given))


def _in_request(
    service: Service, asked: _Asked, answer: Callable[[_Asked, Path, Mapping[str, Path], Path], Any]
) -> Any:
    """Uploads stored, answered, removed; the answer's files kept for a few minutes."""
    own, outputs = service.shelf.place()
    try:
        with service.desk.request() as folder:
            incoming = folder / "incoming"
            incoming.mkdir()
            stored = {role: _stored(file, incoming / str(n)) for n, (role, file) in enumerate(asked.uploads.items())}
            body = answer(asked, folder, stored, outputs)
    except BaseException:
        service.shelf.drop(own)
        raise
    files = sorted(path.name for path in outputs.iterdir() if path.is_file())
    return {**body, "files": {name: f"/answers/{own}/{name}" for name in files}}


def _stored(upload: UploadFile, path: Path) -> Path:
    with path.open("xb") as file:
        shutil.copyfileobj(upload.file, file, 2**20)
    return path


def _case(service: Service, asked: _Asked, folder: Path, stored: Mapping[str, Path], outputs: Path) -> Any:
    wanted = Outputs(outputs, **{name: name in asked.outputs for name in OUTPUTS})
    answer = service.ask_uploads(asked.bundle, stored, asked.question, wanted, _names(asked), folder)
    return answer.model_dump(mode="json")


def _table(service: Service, asked: _Asked, folder: Path, stored: Mapping[str, Path], outputs: Path) -> Any:
    wanted = Outputs(outputs, **{name: name in asked.outputs for name in OUTPUTS})
    done = service.ask_cohort(asked.bundle, stored, asked.question, wanted, _names(asked), folder)
    cohort_files.write(done, outputs)
    answers = {name: answer.model_dump(mode="json") for name, answer in done.answers.items()}
    return {"rows": len(done.rows), "answers": answers, "faults": [told(fault) for fault in done.faults]}


def _names(asked: _Asked) -> dict[str, str]:
    return {role: upload.filename or "" for role, upload in asked.uploads.items()}


@contextlib.asynccontextmanager
async def _form(request: Request, service: Service) -> AsyncIterator[FormData]:
    """The request's form; files of it lie on the disk, nameless, as soon as they are large."""
    if service.worker.full:
        raise BusyError(Fault(f"{service.worker.waiting} requests waiting", "fewer", "try again in a minute"))
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnknownKindError(Fault("a body that is no form", "multipart/form-data", "see /docs"))
    try:
        form = await request.form(max_files=service.desk.limits.files, max_fields=FIELDS, max_part_size=WORD_BYTES)
    except (ParseError, FormParserError) as error:
        many = "Too many" in str(error)
        found = "a form of too many fields or files" if many else "a form that is broken or cut off"
        expected = f"{service.desk.limits.files} files at most, whole"
        raise (TooLargeError if many else UploadError)(Fault(found, expected, "send it again")) from None
    try:
        yield form
    finally:
        await form.close()


def _taken_apart(form: FormData, service: Service) -> _Asked:
    pairs = form.multi_items()
    files = [(name, value) for name, value in pairs if isinstance(value, UploadFile) and (value.filename or value.size)]
    words = [(name, value.strip()) for name, value in pairs if isinstance(value, str) and value.strip()]
    clinical = {name.removeprefix(CLINICAL): value for name, value in words if name.startswith(CLINICAL)}
    own = {field: [value for name, value in words if name == field] for field in WORDS}
    known = {*own, *(name for name, _ in words if name.startswith(CLINICAL))}
    faults = []
    if len(dict(files)) < len(files):
        faults.append(Fault("two files in one field", "one file a field", "zip them"))
    if unknown := [name for name, _ in words if name not in known]:
        expected = f"files, {', '.join(own)}, {CLINICAL}<variable>"
        faults.append(Fault(f"{len(unknown)} unknown fields", expected, "see /docs"))
    if wrong := set(own["output"]) - set(OUTPUTS):
        faults.append(Fault(f"{len(wrong)} unknown outputs", f"of {', '.join(OUTPUTS)}", "name some of these"))
    if faults:
        raise UploadError(faults)
    bundle = own["bundle"][0] if own["bundle"] else next(iter(service.bundles)) if len(service.bundles) == 1 else ""
    question = Question(clinical, tuple(filter(None, own["model"])) or None, "false" not in own["explain"])
    return _Asked(bundle, dict(files), question, frozenset(own["output"]))


def _add_bundles(app: FastAPI, service: Service) -> None:
    @app.get("/api/bundles")
    def _bundles() -> Any:
        """What is served: models, clinical variables, sequences."""
        return [_about(name, own) for name, own in service.bundles.items()]

    @app.get("/api/bundles/{name}/card")
    def _card(name: str) -> Any:
        """The model card."""
        if name not in service.bundles:
            raise HTTPException(404)
        return service.bundles[name].card.model_dump(mode="json")

    @app.get("/api/health")
    def _health() -> Any:
        """Whether the models are loaded, and how many requests are waiting."""
        ready = service.worker.ready
        state = "starting" if not ready.done() else "failed" if ready.exception() else "ready"
        return {"state": state, "waiting": service.worker.waiting}


def _about(name: str, bundle: Any) -> dict[str, Any]:
    cohort = bundle.run.cohort
    clinical = {own: kind.model_dump(mode="json") for own, kind in cohort.clinical.items()}
    return {"name": name, "digest": bundle.digest, "kind": bundle.manifest.kind, "headline": bundle.card.headline,
            "models": list(bundle.deployed.judgements), "clinical": clinical,
            "sequences": list(bundle.run.used_sequences), "note": bundle.card.research_only}  # fmt: skip


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, FusionError)
    status = next((own for kind, own in STATUS if isinstance(error, kind)), UNREADABLE)
    headers = {"retry-after": "30"} if status == 503 else {}
    return JSONResponse({"faults": [told(fault) for fault in error.faults]}, status, headers)
