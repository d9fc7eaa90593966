"""A download is interrupted, or the file changes meanwhile: the rest is fetched, or all of it, never a mixture."""

import hashlib
import signal
import subprocess
import sys
import time

import pytest
from tests.acquisition.downloads import BODY, failure, names_beside

from text_recognizer.acquisition import download as module
from text_recognizer.acquisition.download import IncompleteDownloadError, download

pytestmark = pytest.mark.usefixtures("no_wait")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "down" / "file.zip"


def test_a_download_resumes_where_the_connection_was_cut(server, out):
    file = server.put("file.zip", BODY, cut=[100_000, 50_000, 0, 70_000, None])
    download(server.url("file.zip"), out, f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert out.read_bytes() == BODY
    assert file.ranges_asked == [None, "bytes=100000-", "bytes=150000-", "bytes=150000-", "bytes=220000-"]


def test_a_file_that_has_changed_is_fetched_from_its_beginning(server, out):
    file = server.put("file.zip", BODY, cut=[100_000, None])
    new = BODY[::-1]

    def change(_):
        file.body, file.etag = new, '"2"'

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.time, "sleep", change)
        download(server.url("file.zip"), out)
    assert file.ranges_asked == [None, "bytes=100000-"]
    assert out.read_bytes() == new


@pytest.mark.parametrize("options", [{"etag": None}, {"etag": 'W/"weak"'}, {"ranges": False}])
def test_a_download_that_cannot_be_resumed_starts_again(server, out, options):
    server.put("file.zip", BODY, cut=[100_000, None], **options)
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY


def test_a_server_that_ignores_if_range_cannot_mix_two_files(server, out, monkeypatch):
    # The server sends the range whatever If-Range says. Only the new tag shows that the file is another.
    file = server.put("file.zip", BODY, cut=[100_000, None])

    class Anything(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    def change(_):
        file.body, file.etag = BODY[::-1], Anything('"2"')

    monkeypatch.setattr(module.time, "sleep", change)
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY[::-1]
    assert file.ranges_asked[-1] is None


def test_a_range_that_cannot_be_satisfied_starts_the_download_again(server, out):
    server.put("file.zip", BODY, cut=[100_000, None], status=[200, 416, 200])
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY


def test_a_file_that_is_shorter_than_its_declared_length_is_a_temporary_failure(server, out):
    file = server.put("file.zip", BODY, claim=10, etag=None)
    error = failure(server.url("file.zip"), out, IncompleteDownloadError)
    assert "300,000 of 300,010 bytes" in error.what
    assert error.exit_status == 75
    assert len(file.ranges_asked) == module.MAX_TRIES


def test_a_later_run_resumes(server, out):
    file = server.put("file.zip", BODY, cut=[120_000, 0])
    failure(server.url("file.zip"), out, IncompleteDownloadError)
    file.cut, file.ranges_asked = [None], []
    download(server.url("file.zip"), out, f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert file.ranges_asked == ["bytes=120000-"]
    assert names_beside(out) == ["file.zip"]


def test_bytes_from_another_address_are_not_resumed(server, out):
    server.put("one.zip", BODY, cut=[120_000, 0])
    other = server.put("two.zip", BODY[::-1])
    failure(server.url("one.zip"), out, IncompleteDownloadError)
    download(server.url("two.zip"), out)
    assert other.ranges_asked == [None]
    assert out.read_bytes() == BODY[::-1]


def test_nothing_is_kept_if_the_download_cannot_be_resumed(server, out):
    server.put("file.zip", BODY, etag=None, cut=[120_000])
    failure(server.url("file.zip"), out, IncompleteDownloadError)
    assert names_beside(out) == []


def test_progress_allows_new_tries_and_a_standstill_ends_them(server, out):
    small = server.put("file.zip", BODY, cut=[20_000])  # fifteen interruptions, each after new bytes
    download(server.url("file.zip"), out)
    assert len(small.ranges_asked) == 15
    stuck = server.put("stuck.zip", BODY, cut=[20_000, 0])
    failure(server.url("stuck.zip"), out.with_name("stuck.zip"), IncompleteDownloadError)
    assert len(stuck.ranges_asked) == 1 + module.MAX_TRIES - 1


def test_a_killed_run_is_resumed(server, out, tmp_path):
    # The server sends a part, and the process is killed while it waits for the next try.
    file = server.put("file.zip", BODY, cut=[130_000], claim=0)
    program = (
        "import sys; from pathlib import Path; from text_recognizer.acquisition import download as module;"
        "module.FIRST_WAIT = 60; module.download(sys.argv[1], Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, server.url("file.zip"), str(out)], cwd=tmp_path)
    body = out.with_name(f".{out.name}.body")
    until = time.monotonic() + 60
    while not (body.exists() and body.stat().st_size == 130_000) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # The next run asks only for the rest.
    file.cut, file.ranges_asked = [None], []
    download(server.url("file.zip"), out)
    assert file.ranges_asked == ["bytes=130000-"]
    assert out.read_bytes() == BODY


def test_ctrl_c_keeps_what_can_be_resumed(server, out, monkeypatch):
    server.put("file.zip", BODY, cut=[130_000])

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download(server.url("file.zip"), out)
    assert names_beside(out) == [".file.zip.body", ".file.zip.note"]
