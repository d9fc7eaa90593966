"""The endpoints of /jobs: order, watch, fetch and delete what is read while nobody waits."""

import io
import zipfile
from pathlib import PurePath
from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from text_recognizer.core.output_formats import SINGLE_PAGE, SUFFIXES
from text_recognizer.core.schemas import JobStatus, Problem, UnreadPage
from text_recognizer.serving.formats import choose_format
from text_recognizer.serving.jobs import ID_BYTES, JobRecord, Jobs
from text_recognizer.serving.problems import RequestError
from text_recognizer.serving.read_endpoint import Format, Pages, Printed
from text_recognizer.serving.reading import Answered, SentFile, select_pages, to_answer
from text_recognizer.serving.sent_files import SentFiles
from text_recognizer.serving.served import now, served_by
from text_recognizer.serving.tokens import client_of
from text_recognizer.serving.uploads import Upload

JobId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]+$", max_length=2 * ID_BYTES)]


async def post_job(
    request: Request,
    response: Response,
    sent: SentFiles,
    format: Format = None,
    pages: Pages = None,
    printed: Printed = False,
) -> JobStatus:
    """Keep what `/read` takes, and read it after the jobs that came before."""
    select_pages(pages)
    files = [SentFile.of(part) for part in sent]
    for part, file in zip(sent, files, strict=True):
        Upload(file.name, part.file.read()).require_known()
        part.file.seek(0)
    kind = choose_format(format, request.headers.get("accept", ""))
    record = JobRecord(
        status=JobStatus(id="", created=now()),
        client=client_of(request.scope),
        kind=kind,
        files=tuple(file.name for file in files),
        selection=pages,
        printed=printed,
    )
    status = _jobs(request).add(record, files).status
    response.headers["Location"] = request.url_for("get_job", job=status.id).path
    return status


async def get_job(request: Request, job: JobId) -> JobStatus:
    """Say how far a job is, and until when its result is kept."""
    status = _jobs(request).get(job, client_of(request.scope)).status
    if status.state != "done":
        return status
    return status.model_copy(update={"result": request.url_for("get_result", job=job).path})


async def get_result(request: Request, job: JobId) -> Response:
    """Return the result of a job, as `/read` answers.

    Several pages of a format that holds one page in each file are a zip, with the problems of pages that could not be
    read in `problems.txt`.
    """
    found = _jobs(request).get(job, client_of(request.scope))
    if found.status.state not in ("done", "failed"):
        raise RequestError(409, f"the job is {found.status.state}")
    if found.status.problem:
        raise _as_error(found.status.problem)
    answered = _jobs(request).answers(job)
    if found.kind in SINGLE_PAGE and len(answered) > 1:
        return Response(_zipped(answered, SUFFIXES[found.kind]), media_type="application/zip")
    return to_answer(found.kind, served_by(request).model, answered)


async def delete_job(request: Request, job: JobId) -> Response:
    """Stop a job, and forget its files and its result."""
    _jobs(request).delete(job, client_of(request.scope))
    return Response(status_code=204)


def _jobs(request: Request) -> Jobs:
    jobs = request.app.state.jobs
    assert isinstance(jobs, Jobs)
    return jobs


def _as_error(problem: Problem) -> RequestError:
    return RequestError(problem.status, problem.detail, problem.fix)


def _zipped(answered: list[Answered], suffix: str) -> bytes:
    stream, problems = io.BytesIO(), []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, page in enumerate(answered, 1):
            stem = PurePath(page.record.name).stem
            if isinstance(page.record, UnreadPage):
                problems.append(f"{number:04} {page.record.name}: {page.record.problem.detail}")
            else:
                archive.writestr(f"{number:04}-{stem}{suffix}", page.content)
        if problems:
            archive.writestr("problems.txt", "\n".join(problems) + "\n")
    return stream.getvalue()
