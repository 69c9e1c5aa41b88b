"""The bundles that are served, the desk for uploads, and one worker that answers in order of arrival."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.errors import BundleError, Fault, FusionError
from fusion.serve import jobs
from fusion.serve.answer import Answer
from fusion.serve.asked import Asked, Outputs
from fusion.serve.private import without_names
from fusion.serve.results import Results
from fusion.serve.uploads import Desk, Limits
from fusion.serve.worker import Bounds, Worker

if TYPE_CHECKING:
    from fusion.serve.bundle import Bundle


class Service:
    """Answers cases; safe to ask from many threads."""

    def __init__(self, bundles: "dict[str, Bundle]", desk: Desk, worker: Worker) -> None:
        self.bundles, self.desk, self.worker = bundles, desk, worker
        self.results = Results(desk.room("results"))

    @classmethod
    def open(
        cls,
        paths: Iterable[Path],
        limits: Limits | None = None,
        bounds: Bounds | None = None,
        desk_parent: Path | None = None,
    ) -> "Service":
        """A service of the bundles at ``paths``; its worker makes itself ready meanwhile.

        Raises:
            BundleError: a bundle that cannot be used, or two of one name.
        """
        from fusion.serve import bundle

        read: dict[str, Bundle] = {}
        opened: dict[str, jobs.Opened] = {}
        for path in paths:
            own = bundle.read(path)
            if own.name in read:
                remedy = "serve one of them, or name the run of the other anew"
                raise BundleError(Fault(f"two bundles named {own.name}", "names of their own", remedy, file=str(path)))
            read[own.name], opened[own.name] = own, jobs.Opened(path.resolve(), own.digest)
        desk = Desk.open(desk_parent, limits)
        return cls(read, desk, Worker(jobs.predictors, opened, bounds=bounds))

    def __enter__(self) -> "Service":
        """The service."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the worker and remove every upload and result."""
        self.worker.close()
        self.results.close()
        self.desk.close()

    def ask(self, bundle: str, asked: Asked, outputs: Outputs) -> Answer:
        """The answer to one case, whose files lie in a folder of ``desk.request()``; waits for its turn.

        Raises:
            FusionError: whatever is wrong with the case, in words without names; BusyError, OverTimeError,
                BrokenJobError of the worker.
        """
        folder = self._folder(asked)
        try:
            done: jobs.Done = self.worker.submit(jobs.answer, bundle, asked, outputs).result()
        except FusionError as error:
            raise without_names(error, folder) from None
        return done.answer

    def _folder(self, asked: Asked) -> Path:
        """The request's folder: files are told by their place in it."""
        first = asked.files.image if asked.files is not None else asked.study.scans[0].image if asked.study else None
        if first is None or not first.is_relative_to(self.desk.folder):
            return self.desk.folder
        return self.desk.folder / first.relative_to(self.desk.folder).parts[0]
