"""The line is cut, or what is there changes meanwhile: the rest is fetched, or all anew, never two files mixed."""

import hashlib
import signal
import subprocess
import sys
import time

import pytest
from tests.data.downloads import BODY, left, refused

from text_recognizer.data import download as room
from text_recognizer.data.download import UnfinishedError, download

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "down" / "file.zip"


# --- the line is cut


def test_a_download_goes_on_where_the_line_was_cut(server, out):
    file = server.put("file.zip", BODY, cut=[100_000, 50_000, 0, 70_000, None])
    download(server.url("file.zip"), out, f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert out.read_bytes() == BODY
    assert file.asked == [None, "bytes=100000-", "bytes=150000-", "bytes=150000-", "bytes=220000-"]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(server, out):
    file = server.put("file.zip", BODY, cut=[100_000, None])
    new = BODY[::-1]

    def change(_):
        file.body, file.etag = new, '"2"'

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room.time, "sleep", change)
        download(server.url("file.zip"), out)
    assert file.asked == [None, "bytes=100000-"]
    assert out.read_bytes() == new


@pytest.mark.parametrize("how", [{"etag": None}, {"etag": 'W/"weak"'}, {"ranges": False}])
def test_where_the_rest_cannot_be_had_it_begins_again(server, out, how):
    server.put("file.zip", BODY, cut=[100_000, None], **how)
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY


def test_a_server_that_forgets_the_condition_cannot_mix_two_files(server, out, monkeypatch):
    # It serves the range whatever If-Range says; only the new tag gives it away.
    file = server.put("file.zip", BODY, cut=[100_000, None])

    class Anything(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    def change(_):
        file.body, file.etag = BODY[::-1], Anything('"2"')

    monkeypatch.setattr(room.time, "sleep", change)
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY[::-1]
    assert file.asked[-1] is None


def test_a_rest_that_is_not_there_is_fetched_from_the_beginning(server, out):
    server.put("file.zip", BODY, cut=[100_000, None], status=[200, 416, 200])
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY


def test_one_that_claims_more_than_it_sends_is_refused(server, out):
    file = server.put("file.zip", BODY, claim=10, etag=None)
    error = refused(server.url("file.zip"), out, UnfinishedError)
    assert "300,000 of 300,010 bytes" in error.what
    assert len(file.asked) == room.TRIES


def test_a_later_run_goes_on_from_what_came(server, out):
    file = server.put("file.zip", BODY, cut=[120_000, 0])
    refused(server.url("file.zip"), out, UnfinishedError)
    file.cut, file.asked = [None], []
    download(server.url("file.zip"), out, f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert file.asked == ["bytes=120000-"]
    assert left(out) == ["file.zip"]


def test_what_came_from_another_address_is_not_gone_on_from(server, out):
    server.put("one.zip", BODY, cut=[120_000, 0])
    other = server.put("two.zip", BODY[::-1])
    refused(server.url("one.zip"), out, UnfinishedError)
    download(server.url("two.zip"), out)
    assert other.asked == [None]
    assert out.read_bytes() == BODY[::-1]


def test_nothing_is_kept_where_nothing_can_be_gone_on_from(server, out):
    server.put("file.zip", BODY, etag=None, cut=[120_000])
    refused(server.url("file.zip"), out, UnfinishedError)
    assert left(out) == []


def test_progress_gives_it_new_tries_and_standing_still_ends_it(server, out):
    small = server.put("file.zip", BODY, cut=[20_000])  # fifteen cuts, each with something new
    download(server.url("file.zip"), out)
    assert len(small.asked) == 15
    stuck = server.put("stuck.zip", BODY, cut=[20_000, 0])
    refused(server.url("stuck.zip"), out.with_name("stuck.zip"), UnfinishedError)
    assert len(stuck.asked) == 1 + room.TRIES - 1


def test_a_run_that_was_killed_is_gone_on_from(server, out, tmp_path):
    # Given a server that sends a part, then nothing, and a process that is killed meanwhile
    file = server.put("file.zip", BODY, cut=[130_000], claim=0)
    program = (
        "import sys; from pathlib import Path; from text_recognizer.data import download as room;"
        "room.FIRST_WAIT = 60; room.download(sys.argv[1], Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, server.url("file.zip"), str(out)], cwd=tmp_path)
    body = out.with_name(f".{out.name}.body")
    until = time.monotonic() + 60
    while not (body.exists() and body.stat().st_size == 130_000) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # Then the next run asks for the rest alone
    file.cut, file.asked = [None], []
    download(server.url("file.zip"), out)
    assert file.asked == ["bytes=130000-"]
    assert out.read_bytes() == BODY


def test_ctrl_c_leaves_what_can_be_gone_on_from(server, out, monkeypatch):
    server.put("file.zip", BODY, cut=[130_000])

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(room.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download(server.url("file.zip"), out)
    assert left(out) == [".file.zip.body", ".file.zip.note"]
