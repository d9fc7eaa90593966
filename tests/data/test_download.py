"""One file from a server that fails in every way: it arrives whole, or the fault is named and nothing lies there."""

import hashlib
import socket
from pathlib import Path

import pytest
from tests.data.downloads import BODY, PAGE, left, refused

from text_recognizer.data import download as room
from text_recognizer.data.download import UnfinishedError, download

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "down" / "file.zip"


# --- it arrives


def test_a_file_arrives_whole_and_alone(server, out):
    server.put("file.zip", BODY)
    download(server.url("file.zip"), out, f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert out.read_bytes() == BODY
    assert left(out) == ["file.zip"]


@pytest.mark.parametrize("how", [{"sized": False}, {"etag": None}, {"ranges": False}, {"kind": "text/plain"}])
def test_what_a_server_does_not_say_does_not_matter(server, out, how):
    server.put("file.zip", BODY, **how)
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY


def test_md5_is_enough_where_the_publisher_has_no_better(server, out):
    server.put("file.zip", BODY)
    download(server.url("file.zip"), out, f"md5:{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}")
    assert out.exists()


def test_a_download_says_how_far_and_how_fast(server, out, capfd):
    server.put("file.zip", BODY)
    download(server.url("file.zip"), out)
    said = capfd.readouterr().err
    assert "fetch file.zip" in said
    assert "293k/293k" in said
    assert "B/s" in said
    assert Path(out).exists()


# --- the server is busy, or refuses


def test_a_busy_server_is_asked_again(server, out):
    file = server.put("file.zip", BODY, status=[503, 429, 500, 200])
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY
    assert len(file.asked) == 4


def test_it_waits_twice_as_long_each_time_or_as_long_as_the_server_says(server, out, monkeypatch):
    waits = []
    monkeypatch.setattr(room, "FIRST_WAIT", 1.0)
    monkeypatch.setattr(room.time, "sleep", waits.append)
    file = server.put("file.zip", BODY, status=[503, 503, 503, 200])
    download(server.url("file.zip"), out)
    file.status, file.headers = [429, 503, 200], {"Retry-After": "7"}
    download(server.url("file.zip"), out)
    assert waits == [1, 2, 4, 7, 7]


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_is_final_and_gives_its_status(server, out, status):
    file = server.put("file.zip", BODY, status=[status])
    assert str(status) in refused(server.url("file.zip"), out).what
    assert len(file.asked) == 1
    assert left(out) == []


def test_a_server_that_is_never_well_is_given_up(server, out):
    server.put("file.zip", BODY, status=[500])
    assert "500" in refused(server.url("file.zip"), out, UnfinishedError).what
    assert left(out) == []


def test_a_connection_that_is_refused_is_told(out):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "refused" in refused(f"http://127.0.0.1:{port}/file.zip", out, UnfinishedError).what


# --- what comes is not what was meant


@pytest.mark.parametrize("kind", ["application/zip", "text/html"])
def test_a_web_page_is_refused_whatever_it_is_called(server, out, kind):
    file = server.put("file.zip", PAGE, kind=kind, cut=[None])
    assert "is a web page" in refused(server.url("file.zip"), out).what
    assert len(file.asked) == 1
    assert left(out) == []


def test_a_wrong_digest_is_refused_and_both_are_named(server, out):
    server.put("file.zip", BODY)
    what = refused(server.url("file.zip"), out, digest=f"sha256:{'0' * 64}").what
    assert hashlib.sha256(BODY).hexdigest() in what
    assert "0" * 64 in what
    assert left(out) == []


def test_a_rest_that_was_tampered_with_on_disk_fails_its_digest(server, out):
    server.put("file.zip", BODY, cut=[120_000, 0])
    refused(server.url("file.zip"), out, UnfinishedError)
    body = out.with_name(f".{out.name}.body")
    body.write_bytes(b"x" + body.read_bytes()[1:])
    server.files["/file.zip"].cut = [None]
    refused(server.url("file.zip"), out, digest=f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert left(out) == []


def test_what_would_not_fit_on_the_disk_is_refused_before_it_comes(server, out, monkeypatch):
    server.put("file.zip", BODY)
    small = type(room.shutil.disk_usage("/"))(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: small)
    assert "room for 1,000" in refused(server.url("file.zip"), out).what
