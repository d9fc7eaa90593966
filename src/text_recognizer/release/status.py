"""Say what is in service, since when and on which data, what runs and what waits, and how much disk is left."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import PromoteSection
from text_recognizer.core.schemas import Record
from text_recognizer.release.http_json import NoAnswerError, ask, token_header
from text_recognizer.release.ledger import RegistryTag
from text_recognizer.release.prefect_server import PrefectServer
from text_recognizer.release.watching import champion_of, corrections_waiting

LAST, NEXT = 5, 3
SECONDS = 3.0
GIB = 1 << 30


class InService(Record):
    """The model in service by the registry: since when (ISO 8601, UTC), on which test pages, and its CER."""

    version: str
    since: str
    model: str | None
    data: str | None
    cer: float | None


class Run(Record):
    """A run of a flow: its name, its state, and when it started or is due (ISO 8601)."""

    flow: str
    name: str
    state: str
    when: str | None


class Status(Record):
    """What the system does. `service` is the digest of the model that answers; None if no service answers.

    `runs` and `due` are None if no Prefect server answers. Disk is in GiB.
    """

    in_service: InService | None
    service: str | None
    runs: tuple[Run, ...] | None
    due: tuple[Run, ...] | None
    corrections_waiting: int
    disk_free: float
    disk_used: float


def look(project: Path, section: PromoteSection, service: str, server: PrefectServer) -> Status:
    """Return the status of a project, of a service and of a Prefect server. Raises RegistryError."""
    runs = _ask(lambda: _runs(server, server.last_runs(LAST), "start_time"))
    disk = shutil.disk_usage(project)
    return Status(
        in_service=_in_service(champion_of(project, section)),
        service=_ask(lambda: str(ask(f"{service}/model", seconds=SECONDS, headers=token_header())["digest"])),
        runs=runs,
        due=None if runs is None else _ask(lambda: _runs(server, server.next_runs(NEXT), "expected_start_time")),
        corrections_waiting=corrections_waiting(project),
        disk_free=round(disk.free / GIB, 1),
        disk_used=round(_size(project, Layout(project)) / GIB, 2),
    )


def lines(status: Status) -> list[str]:
    """Return the status for a terminal."""
    model = status.in_service
    shown = f"{model.version} since {model.since}, test pages {str(model.data)[:8]}" if model else "no model"
    agrees = "" if not model or status.service in (None, model.model) else ", which is ANOTHER model"
    return [
        f"in service   {shown}" + (f", CER {model.cer:.2%}" if model and model.cer is not None else ""),
        f"service      {f'answers with {status.service[:12]}{agrees}' if status.service else 'does not answer'}",
        *_listed("last runs", status.runs),
        *_listed("next runs", status.due),
        f"corrections  {status.corrections_waiting} waiting",
        f"disk         {status.disk_free:.1f} GiB free; data, models and cache take {status.disk_used:.2f} GiB",
    ]


def _listed(name: str, runs: Sequence[Run] | None) -> list[str]:
    if not runs:
        return [f"{name:<12} {'none' if runs is not None else 'no Prefect server answers'}"]
    heads = [name, *[""] * (len(runs) - 1)]
    return [
        f"{head:<12} {run.flow} {run.name!r}: {run.state} {run.when or ''}".rstrip()
        for head, run in zip(heads, runs, strict=True)
    ]


def _ask(question: Any) -> Any:  # noqa: ANN401 the answer of the question
    try:
        return question()
    except NoAnswerError:
        return None


def _in_service(champion: RegistryTag | None) -> InService | None:
    if not champion:
        return None
    record = champion.record
    return InService(
        version=champion.version, since=champion.when, model=record.model, data=record.data, cer=record.cer
    )


def _runs(server: PrefectServer, found: Sequence[dict[str, Any]], when: str) -> tuple[Run, ...]:
    names = {run["flow_id"]: "" for run in found}
    names = {flow: server.flow_name(flow) for flow in names}
    return tuple(
        Run(flow=names[run["flow_id"]], name=run["name"], state=str(run["state_name"]), when=run[when]) for run in found
    )


def _size(project: Path, files: Layout) -> int:
    """Return the bytes of what the pipeline keeps: links and files that vanish meanwhile do not count."""
    places = (project / ".dvc/cache", files.raw, files.found_lines, files.processed, files.models, files.scratch)
    found = (path for place in places for path in place.rglob("*"))
    return sum(path.lstat().st_size for path in found if path.is_file() and not path.is_symlink())
