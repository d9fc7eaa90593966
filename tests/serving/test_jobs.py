"""A job is read while nobody waits, its result is kept for some time, and the jobs are bounded in number and disk."""

import io
import time
import zipfile

import pytest
from PIL import Image
from starlette.testclient import TestClient

from text_recognizer.core.schemas import JobStatus, ReadPages, UnreadPage
from text_recognizer.serving.jobs import JobQuota

WAIT = 60.0


@pytest.fixture
def service(application, tmp_path):
    """Run a service that takes jobs; give its client."""
    clients = []

    def start(**quota):
        client = TestClient(application(jobs=tmp_path / "jobs", job_quota=JobQuota(**quota)))
        clients.append(client.__enter__())
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


def blank(width=90):
    stream = io.BytesIO()
    Image.new("L", (width, 50), 255).save(stream, "PNG")
    return stream.getvalue()


def pages(count):
    first, *others = [Image.new("L", (90 + 10 * number, 50), 255) for number in range(count)]
    stream = io.BytesIO()
    first.save(stream, "TIFF", save_all=True, append_images=others)
    return stream.getvalue()


def post(client, *files, query=""):
    return client.post(f"/jobs{query}", files=[("picture", (f"{at}.png", data)) for at, data in enumerate(files)])


def wait(client, path, states=("done", "failed")):
    """Return the status of a job as soon as it is in one of these states."""
    deadline = time.monotonic() + WAIT
    while (status := JobStatus.model_validate(client.get(path).json())).state not in states:
        assert time.monotonic() < deadline, status
        time.sleep(0.02)
    return status


@pytest.mark.slow
def test_a_job_is_accepted_at_once_and_its_result_is_what_read_answers(service, handwriting):
    client = service()
    picture = handwriting.read_bytes()
    accepted = post(client, picture, blank())
    assert accepted.status_code == 202
    begun = JobStatus.model_validate(accepted.json())
    assert (begun.state, begun.expires, begun.result) == ("waiting", None, None)
    done = wait(client, accepted.headers["location"])
    assert (done.id, done.state, done.pages_read) == (begun.id, "done", 2)
    assert (done.expires - done.created).total_seconds() >= 3600
    result = ReadPages.model_validate(client.get(done.result).json()).pictures
    direct = client.post("/read", files={"picture": picture}).json()
    assert (result[0].text, result[1].width) == (direct["text"], 90)


@pytest.mark.slow
def test_a_job_may_have_more_pages_than_a_request(service):
    client = service()
    file = pages(21)
    assert client.post("/read", files={"picture": file}).status_code == 422
    done = wait(client, post(client, file).headers["location"])
    result = ReadPages.model_validate(client.get(done.result).json()).pictures
    assert [page.width for page in result] == [90 + 10 * number for number in range(21)]


def test_pages_of_a_format_of_one_page_are_a_zip_with_the_problems(service):
    client = service()
    done = wait(client, post(client, pages(2), blank()[:60], query="?format=alto").headers["location"])
    answer = client.get(done.result)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
        assert names == ["0001-0.alto.xml", "0002-0.alto.xml", "problems.txt"]
        assert archive.read(names[0]).startswith(b"<?xml")
        assert b"1.png" in archive.read("problems.txt")


def test_a_file_that_cannot_be_read_fails_the_job_and_is_named(service):
    client = service()
    done = wait(client, post(client, blank()[:60]).headers["location"])
    assert (done.state, done.problem.status, done.result) == ("failed", 422, None)
    assert "0.png" in done.problem.detail
    assert client.get(f"/jobs/{done.id}/result").status_code == 422


def test_of_several_files_one_that_cannot_be_read_has_its_problem(service):
    client = service()
    done = wait(client, post(client, blank()[:60], blank()).headers["location"])
    first, second = ReadPages.model_validate(client.get(done.result).json()).pictures
    assert isinstance(first, UnreadPage)
    assert second.width == 90


def test_a_job_is_deleted_with_all_that_was_kept_of_it(service, tmp_path):
    client = service()
    path = post(client, pages(20)).headers["location"]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404
    # The page that was being read ends.
    other = post(client, blank()).headers["location"]
    wait(client, other)
    assert [folder.name for folder in (tmp_path / "jobs").iterdir()] == [other.rpartition("/")[2]]


def test_a_result_that_has_expired_is_removed(service, tmp_path):
    client = service(seconds=-1)
    path = post(client, blank()).headers["location"]
    deadline = time.monotonic() + WAIT
    while client.get(path).status_code != 404:
        assert time.monotonic() < deadline
    assert list((tmp_path / "jobs").iterdir()) == []


def test_a_result_that_is_not_ready_is_refused_with_when_to_try_again(service):
    client = service()
    path = post(client, pages(20)).headers["location"]
    answer = client.get(f"{path}/result")
    assert answer.status_code == 409
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("quota", "status"),
    [({"jobs": 1}, 503), ({"of_client": 1}, 429), ({"bytes": 100}, 507), ({"spare_bytes": 1 << 60}, 507)],
)
def test_jobs_are_bounded_in_number_and_disk(service, tmp_path, quota, status):
    client = service(**quota)
    if status != 507:
        assert post(client, blank()).status_code == 202
    before = sorted((tmp_path / "jobs").glob("*")) if status != 507 else []
    answer = post(client, blank())
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert sorted((tmp_path / "jobs").glob("*")) == before


@pytest.mark.parametrize(("files", "query", "status"), [
    ([b"words"], "", 415), ([b"x"] * 9, "", 422), ([b"x"], "?pages=0", 422), ([b"x"], "?format=docx", 422),
])  # fmt: skip
def test_what_cannot_become_a_job_is_refused_at_once(service, tmp_path, files, query, status):
    assert post(service(), *files, query=query).status_code == status
    assert not (tmp_path / "jobs").exists()


@pytest.mark.parametrize("name", ["nothing", ".part", "a" * 200])
def test_no_other_id_is_answered(service, name):
    assert service().get(f"/jobs/{name}").status_code in (404, 422)


def test_a_job_that_was_interrupted_begins_again(service):
    # Given a service that ends while it reads a job
    first = service()
    path = post(first, pages(20)).headers["location"]
    wait(first, path, ("running",))
    first.__exit__(None, None, None)
    # When the next process is asked for it
    second = service()
    done = wait(second, path)
    # Then the job is done
    assert (done.state, done.pages_read) == ("done", 20)
