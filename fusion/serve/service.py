"""The bundles that are served, the desk for uploads, and one worker that answers in order of arrival."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fusion.errors import BundleError, Fault, FusionError
from fusion.serve import bundle as bundles
from fusion.serve import jobs
from fusion.serve.answer import Answer
from fusion.serve.asked import Asked, Outputs
from fusion.serve.bundle import Bundle
from fusion.serve.given import ARCHIVE, IMAGE, MASK, RING, TABLE, Given
from fusion.serve.limits import Limits, TooLargeError, UploadError
from fusion.serve.private import without_names
from fusion.serve.results import Results
from fusion.serve.rows import Row
from fusion.serve.uploads import Desk
from fusion.serve.viewer.shelf import Shelf
from fusion.serve.worker import Bounds, Worker

ZIP = ".zip"


@dataclass(frozen=True)
class Question:
    """What to ask of uploads, beside them."""

    clinical: Mapping[str, str]
    models: tuple[str, ...] | None = None
    explain: bool = True


@dataclass(frozen=True)
class CohortAnswer:
    """A table answered: an answer or faults by row."""

    rows: tuple[Row, ...]
    answers: Mapping[str, Answer]
    faults: tuple[Fault, ...]
    """Each names its row as case."""


class Service:
    """Answers cases; safe to ask from many threads."""

    def __init__(
        self, bundles: dict[str, Bundle], desk: Desk, worker: Worker, log: Callable[[str], None] | None = None
    ) -> None:
        self.bundles, self.desk, self.worker = bundles, desk, worker
        self._results = Results(desk.room("answers"))
        self.shelf: Shelf = self._results
        self._log = log or (lambda line: None)

    @classmethod
    def open(
        cls,
        paths: Iterable[Path],
        limits: Limits | None = None,
        bounds: Bounds | None = None,
        desk_parent: Path | None = None,
        log: Callable[[str], None] | None = None,
    ) -> "Service":
        """A service of the bundles at ``paths``; its worker makes itself ready meanwhile.

        Args:
            paths: bundles' folders or archives, or runs with a bundle in them.
            limits: of an upload.
            bounds: of the worker.
            desk_parent: where uploads lie; the system's folder for temporary files unless given.
            log: takes a line a request, which holds time, kind, seconds and result.

        Raises:
            BundleError: a bundle that cannot be used, or two of one name.
        """
        read: dict[str, Bundle] = {}
        opened: dict[str, jobs.Opened] = {}
        for path in paths:
            own = bundles.read(path)
            if own.name in read:
                remedy = "serve one of them, or name the run of the other anew"
                raise BundleError(Fault(f"two bundles named {own.name}", "names of their own", remedy, file=str(path)))
            read[own.name], opened[own.name] = own, jobs.Opened(path.resolve(), own.digest)
        desk = Desk.open(desk_parent, limits)
        worker = Worker(jobs.predictors, opened, bounds=bounds, temporary=desk.room("worker"))
        worker.submit(jobs.load_heat_maps)
        return cls(read, desk, worker, log)

    def __enter__(self) -> "Service":
        """The service."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the worker and remove every upload and result."""
        self.worker.close()
        self._results.close()
        self.desk.close()

    def ask(self, bundle: str, asked: Asked, outputs: Outputs) -> Answer:
        """The answer to one case, whose files lie in a folder of ``desk.request()``; waits for its turn.

        Raises:
            FusionError: whatever is wrong with the case, in words without names; the worker's BusyError,
                OverTimeError, MemoryLimitError, CrashedError, FailedError.
        """
        with self._line("case", self._folder(asked)):
            own: Answer = self.worker.submit(jobs.answer, self._known(bundle).name, asked, outputs).result()
            return own

    def ask_uploads(
        self,
        bundle: str,
        uploads: Mapping[str, Path],
        question: Question,
        outputs: Outputs,
        names: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Answer:
        """The answer to uploads by role, which are read in a folder of their own that is emptied afterwards.

        Args:
            bundle: its name.
            uploads: image, mask, perhaps external2; archive for all in a zip; image_SEQUENCE, mask_SEQUENCE of slices.
                An image or mask may be a zip too, of a DICOM series or object.
            question: clinical values, models.
            outputs: where to leave what.
            names: what uploads call themselves where that is not the path's name; read for the suffix, never told.
            folder: of a request that is open already.

        Raises:
            FusionError: as ``ask``; UploadError.
        """
        if folder is None:
            with self.desk.request() as own:
                return self.ask_uploads(bundle, uploads, question, outputs, names, own)
        with self._line("case", folder):
            roles = _roles(self._known(bundle))
            given = self._given(uploads, roles, question, names or {}, folder)
            answer: Answer = self.worker.submit(jobs.answer_given, bundle, given, outputs).result()
            return answer

    def ask_cohort(
        self,
        bundle: str,
        uploads: Mapping[str, Path],
        question: Question,
        outputs: Outputs,
        names: Mapping[str, str] | None = None,
        folder: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> CohortAnswer:
        """Every row of a table answered, one after the other, so that others are answered in between.

        Args:
            bundle: its name.
            uploads: archive, which holds the files and perhaps the table; table.
            question: models; clinical values come from the table.
            outputs: each row's files go to a folder of its name.
            names: as in ``ask_uploads``.
            folder: of a request that is open already.
            progress: told how many of how many rows are done.

        Raises:
            FusionError: the table or archive cannot be used; faults of single rows are in the answer.
        """
        if folder is None:
            with self.desk.request() as own:
                return self.ask_cohort(bundle, uploads, question, outputs, names, own, progress)
        with self._line("table", folder):
            self._known(bundle)
            given = self._given(uploads, (ARCHIVE, TABLE), question, names or {}, folder)
            rows: list[Row] = self.worker.submit(jobs.read_rows, bundle, given).result()
        answers: dict[str, Answer] = {}
        faults: list[Fault] = []
        for done, row in enumerate(rows):
            if progress is not None:
                progress(done, len(rows))
            try:
                answers[row.name] = self._row(bundle, row, replace(outputs, folder=outputs.folder / row.name), folder)
            except FusionError as error:
                faults += [replace(fault, case=row.name) for fault in error.faults]
        return CohortAnswer(tuple(rows), answers, tuple(faults))

    def _row(self, bundle: str, row: Row, outputs: Outputs, folder: Path) -> Answer:
        if row.asked is None:
            raise FusionError(row.faults)
        outputs.folder.mkdir(mode=0o700)
        with self._line("row", folder):
            answer: Answer = self.worker.submit(jobs.answer, bundle, row.asked, outputs, patient=True).result()
            return answer

    def _known(self, bundle: str) -> Bundle:
        if bundle not in self.bundles:
            raise UploadError(Fault("no bundle of that name", f"one of {', '.join(self.bundles)}", "name one of these"))
        return self.bundles[bundle]

    def _given(
        self,
        uploads: Mapping[str, Path],
        roles: Sequence[str],
        question: Question,
        names: Mapping[str, str],
        folder: Path,
    ) -> Given:
        """The uploads stored by role, archives unpacked."""
        if not set(uploads) <= set(roles):  # a role names a file, so that it has to be one of these
            found = f"{len(set(uploads) - set(roles))} uploads in unknown fields"
            raise UploadError(Fault(found, f"one of {', '.join(roles)}", "name the fields so"))
        if not uploads:
            raise UploadError(Fault("no file", f"some of {', '.join(roles)}", "upload what is to be answered"))
        limits = self.desk.limits
        if len(uploads) > limits.files or sum(path.stat().st_size for path in uploads.values()) > limits.request_bytes:
            expected = f"{limits.files} files and {limits.request_bytes / 1e6:,.0f} MB at most"
            raise TooLargeError(Fault("uploads of more than that", expected, "upload one case alone"))
        taken: dict[str, Path] = {}
        errors: list[UploadError] = []
        for role, path in uploads.items():
            try:
                taken[role] = self.desk.take(path, role, folder, names.get(role))
            except UploadError as error:
                errors.append(error)
        if errors:
            raise type(errors[0])([fault for error in errors for fault in error.faults])
        files = {role: path for role, path in taken.items() if path.suffix != ZIP}
        if ARCHIVE in files:
            raise UploadError(Fault("a file that is no zip", "a zip", "upload it as image or mask", file=ARCHIVE))
        archives = {role: self.desk.unpack(path, folder / role).files
                    for role, path in taken.items() if path.suffix == ZIP}  # fmt: skip
        return Given(folder, files, archives, question.clinical, question.models, question.explain)

    @contextlib.contextmanager
    def _line(self, kind: str, folder: Path) -> Iterator[None]:
        """A line in the log for what is done inside; its faults in words without names."""
        begun, result = time.monotonic(), "failed"
        try:
            yield
            result = "answered"
        except FusionError as error:
            result = f"refused {type(error).__name__}"
            raise without_names(error, folder) from None
        finally:
            self._log(f"{time.strftime('%H:%M:%S')} {kind} {time.monotonic() - begun:.1f} s {result}")

    def _folder(self, asked: Asked) -> Path:
        """The request's folder: files are told by their place in it."""
        first = asked.files.image if asked.files is not None else asked.study.scans[0].image if asked.study else None
        if first is None or not first.is_relative_to(self.desk.folder):
            return self.desk.folder
        return self.desk.folder / first.relative_to(self.desk.folder).parts[0]


def _roles(bundle: Bundle) -> tuple[str, ...]:
    """The fields that uploads to a bundle come in."""
    if bundle.manifest.kind == "regions":
        return (IMAGE, MASK, RING, ARCHIVE)
    return tuple(f"{role}_{name}" for name in bundle.run.used_sequences for role in (IMAGE, MASK))
