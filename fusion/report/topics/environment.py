"""Where and with what the run was made."""

from typing import Any, Protocol, runtime_checkable

from fusion.report.blocks import Section, Terms
from fusion.report.topic import Topic


@runtime_checkable
class Noted(Protocol):
    """Results of any kind of run."""

    @property
    def environment(self) -> dict[str, Any]:
        """What environment.json holds."""


def topic(results: Noted) -> Topic:
    """Versions, seed, machine and the data's checksum."""
    return Topic(Section("environment", "Environment", [Terms(_noted(results))]))


def _noted(results: Noted) -> list[tuple[str, str]]:
    noted = results.environment
    hardware = noted["hardware"]
    return [
        ("fusion", noted["fusion"]),
        ("Commit", noted["git_commit"] or "not run from a source tree"),
        ("Started", noted["started"]),
        ("Seed", str(noted["seed"])),
        ("Python", noted["python"]),
        ("Packages", ", ".join(f"{name} {version}" for name, version in noted["packages"].items())),
        ("Machine", f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB memory"),
        ("GPU", hardware["gpu"] or "none"),
        ("Data (SHA-256)", noted["data_sha256"]),
    ]
