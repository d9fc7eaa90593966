"""Jobs: files that are read one after another while nobody waits, and whose result is kept for an hour.

A job is a folder with `job.json`, the files that were sent, and an answer for each page that was read. A job that the
end of a process has interrupted begins again in the next one.
"""

import asyncio
import logging
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from text_recognizer.core.output_formats import OutputFormat
from text_recognizer.core.schemas import JobStatus, Problem, ReadPage, Record, UnreadPage
from text_recognizer.serving.problems import RequestError, describe
from text_recognizer.serving.reading import Answered, Order, SentFile, read_each, select_pages
from text_recognizer.serving.served import Served, now
from text_recognizer.serving.work import Task
from text_recognizer.utils.files import replace_atomically

logger = logging.getLogger(__name__)

MAX_JOB_PAGES = 500
JOB_SECONDS = 6 * 3600.0
ID_BYTES = 16


@dataclass(frozen=True)
class JobQuota:
    """How many jobs there may be, of all and of one client, and what their folder may hold.

    `spare_bytes` stay free on its disk. Jobs that ended count until they are deleted, or until `seconds` have passed.
    """

    jobs: int = 50
    of_client: int = 10
    bytes: int = 1 << 30
    spare_bytes: int = 1 << 30
    seconds: float = 3600.0


class JobRecord(Record):
    """The content of `job.json`."""

    status: JobStatus
    client: str
    kind: OutputFormat
    files: tuple[str, ...]
    selection: str | None = None
    printed: bool = False


class _PageRecord(Record):
    """A page of a job as it is kept."""

    record: ReadPage | UnreadPage


class Jobs:
    """The jobs of a service, in a folder. `served` returns what is served when a job begins."""

    def __init__(self, folder: Path, served: Callable[[], Served], quota: JobQuota = JobQuota()) -> None:
        self._folder = folder
        self._served = served
        self._quota = quota
        self._runner: asyncio.Task[None] | None = None
        self._running: tuple[str, Task] | None = None

    def add(self, record: JobRecord, files: Sequence[SentFile]) -> JobRecord:
        """Keep the files of a job, which waits for its turn. Raises RequestError if there is no room for it."""
        self.clear_expired()
        contents = [file.read() for file in files]
        self._require_room(record.client, sum(map(len, contents)))
        name = secrets.token_urlsafe(ID_BYTES)
        record = record.model_copy(update={"status": record.status.model_copy(update={"id": name})})
        try:
            with replace_atomically(self._folder / name) as draft:
                draft.mkdir()
                for number, content in enumerate(contents):
                    (draft / f"{number}.file").write_bytes(content)
                (draft / "job.json").write_text(record.model_dump_json(), encoding="utf-8")
        except OSError as error:
            raise RequestError(507, f"the job could not be kept: {error.strerror or error}") from None
        self.wake()
        return record

    def get(self, name: str, client: str) -> JobRecord:
        """Return a job of a client. Raises RequestError, status 404, if there is none of this id."""
        self.clear_expired()
        self.wake()
        found = self._read(self._folder / name) if name in self._names() else None
        if found is None or found.client != client:
            raise RequestError(404, "there is no such job, or its result has expired", "POST to /jobs again")
        return found

    def delete(self, name: str, client: str) -> None:
        """Stop a job and remove all that is kept of it."""
        self.get(name, client)
        if self._running and self._running[0] == name:
            self._running[1].stop()
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def answers(self, name: str) -> list[Answered]:
        """Return the pages of a job that were read, in order."""
        paths = sorted((self._folder / name).glob("*.json"), key=lambda path: path.stem)
        found = []
        for path in paths:
            if path.stem != "job":
                record = _PageRecord.model_validate_json(path.read_bytes()).record
                found.append(Answered(record, path.with_suffix(".content").read_bytes()))
        return found

    def clear_expired(self) -> None:
        """Remove the jobs whose time is over."""
        for job in self._all():
            if job.status.expires and job.status.expires <= now():
                shutil.rmtree(self._folder / job.status.id, ignore_errors=True)

    def wake(self) -> None:
        """Work on the jobs that wait, if nothing does."""
        if self._runner is None or self._runner.done():
            self._runner = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while waiting := [job for job in self._all() if not job.status.expires]:
            await self._do(min(waiting, key=lambda job: job.status.created))

    async def _do(self, job: JobRecord) -> None:
        task = Task(JOB_SECONDS)
        self._running = job.status.id, task
        problem: Problem | None = None
        try:
            await asyncio.wait_for(self._read_pages(job, task), task.seconds_left)
        except TimeoutError:
            problem = task.out_of_time().problem
        except RequestError as error:
            problem = error.problem
        except OSError as error:
            problem = describe(507, f"the result could not be kept: {error.strerror or error}")
        except Exception as error:
            logger.exception("a job failed")
            problem = describe(500, f"the job failed ({type(error).__name__})")
        finally:
            task.stop()
            self._running = None
        for file in (self._folder / job.status.id).glob("*.file"):
            file.unlink(missing_ok=True)
        expires = now() + timedelta(seconds=self._quota.seconds)
        self._update(job.status.id, state="failed" if problem else "done", problem=problem, expires=expires)

    async def _read_pages(self, job: JobRecord, task: Task) -> None:
        name, folder, count = job.status.id, self._folder / job.status.id, 0
        self._update(name, state="running", pages_read=0)
        files = [SentFile(sent, (folder / f"{number}.file").read_bytes) for number, sent in enumerate(job.files)]
        selection = select_pages(job.selection)
        order = Order(self._served(), task, job.kind, selection, job.printed, MAX_JOB_PAGES, zipped=True)
        async for page in read_each(order, files):
            task.check()
            self._require_bytes(len(page.content))
            (folder / f"{count:04}.content").write_bytes(page.content)
            text = _PageRecord(record=page.record).model_dump_json()
            (folder / f"{count:04}.json").write_text(text, encoding="utf-8")
            count += 1
            self._update(name, pages_read=count)

    def _update(self, name: str, **changes: object) -> None:
        """Change the status of a job, unless it was deleted."""
        job = self._read(self._folder / name)
        if job is None:
            return
        job = job.model_copy(update={"status": job.status.model_copy(update=changes)})
        draft = self._folder / name / ".job.part"
        with suppress(FileNotFoundError):
            draft.write_text(job.model_dump_json(), encoding="utf-8")
            draft.replace(self._folder / name / "job.json")

    def _require_room(self, client: str, size: int) -> None:
        jobs = self._all()
        if len(jobs) >= self._quota.jobs:
            raise RequestError(503, f"{len(jobs)} jobs are kept, the most that this service takes")
        if sum(job.client == client for job in jobs) >= self._quota.of_client:
            what = f"{self._quota.of_client} jobs of this client are kept, the most that one client may have"
            raise RequestError(429, what, "DELETE those whose results you have, or wait until they expire")
        self._require_bytes(size)

    def _require_bytes(self, size: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file()) + size > self._quota.bytes:
            what = f"the jobs take {self._quota.bytes:,} bytes, the most that this service keeps"
            raise RequestError(507, what, "try again later, or send less")
        if shutil.disk_usage(self._folder).free < self._quota.spare_bytes + size:
            raise RequestError(507, "the disk is nearly full", "tell the operator of this service")

    def _all(self) -> list[JobRecord]:
        found = [self._read(self._folder / name) for name in self._names()]
        return [job for job in found if job]

    def _names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if not path.name.startswith("."))

    def _read(self, folder: Path) -> JobRecord | None:
        try:
            return JobRecord.model_validate_json((folder / "job.json").read_bytes())
        except (OSError, ValidationError):
            return None
