"""Downloading from a server that may fail: the file arrives complete, or an error says why and nothing is left."""

import hashlib
import socket

import pytest
from tests.acquisition.downloads import BODY, PAGE, failure, names_beside

from text_recognizer.acquisition import download as module
from text_recognizer.acquisition.download import IncompleteDownloadError, download
from text_recognizer.core.errors import ConnectionFailedError, DataError

pytestmark = pytest.mark.usefixtures("no_wait")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "down" / "file.zip"


# --- the file arrives


def test_a_file_arrives_complete_and_nothing_else_is_left(server, out):
    server.put("file.zip", BODY)
    download(server.url("file.zip"), out, f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert out.read_bytes() == BODY
    assert names_beside(out) == ["file.zip"]


@pytest.mark.parametrize("options", [{"sized": False}, {"etag": None}, {"ranges": False}, {"kind": "text/plain"}])
def test_headers_that_a_server_leaves_out_are_not_needed(server, out, options):
    server.put("file.zip", BODY, **options)
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY


def test_an_md5_digest_is_accepted(server, out):
    server.put("file.zip", BODY)
    download(server.url("file.zip"), out, f"md5:{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}")
    assert out.exists()


def test_a_download_shows_its_progress_and_speed(server, out, capfd):
    server.put("file.zip", BODY)
    download(server.url("file.zip"), out)
    shown = capfd.readouterr().err
    assert "fetch file.zip" in shown
    assert "293k/293k" in shown
    assert "B/s" in shown


# --- the server is busy, or refuses


def test_a_busy_server_is_tried_again(server, out):
    file = server.put("file.zip", BODY, status=[503, 429, 500, 200])
    download(server.url("file.zip"), out)
    assert out.read_bytes() == BODY
    assert len(file.ranges_asked) == 4


def test_each_wait_is_twice_as_long_or_as_long_as_the_server_asks(server, out, monkeypatch):
    waits = []
    monkeypatch.setattr(module, "FIRST_WAIT", 1.0)
    monkeypatch.setattr(module.time, "sleep", waits.append)
    file = server.put("file.zip", BODY, status=[503, 503, 503, 200])
    download(server.url("file.zip"), out)
    file.status, file.headers = [429, 503, 200], {"Retry-After": "7"}
    download(server.url("file.zip"), out)
    assert waits == [1, 2, 4, 7, 7]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, ConnectionFailedError), (401, DataError), (403, DataError), (404, ConnectionFailedError)],
)
def test_a_refusal_is_not_tried_again_and_only_that_of_a_login_is_permanent(server, out, status, kind):
    file = server.put("file.zip", BODY, status=[status])
    assert str(status) in failure(server.url("file.zip"), out, kind).what
    assert len(file.ranges_asked) == 1
    assert names_beside(out) == []


def test_a_server_that_fails_again_and_again_is_given_up(server, out):
    server.put("file.zip", BODY, status=[500])
    assert "500" in failure(server.url("file.zip"), out, IncompleteDownloadError).what
    assert names_beside(out) == []


def test_a_refused_connection_is_a_temporary_failure(out):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}/file.zip", out, IncompleteDownloadError)
    assert (error.code, error.exit_status) == (ConnectionFailedError.code, 75)


def test_a_host_that_does_not_exist_is_a_temporary_failure(out):
    error = failure("http://no-such-host.invalid/file.zip", out, IncompleteDownloadError)
    assert (error.code, error.exit_status) == (ConnectionFailedError.code, 75)


# --- the content is not the expected one


@pytest.mark.parametrize("kind", ["application/zip", "text/html"])
def test_a_web_page_is_refused_whatever_its_declared_type(server, out, kind):
    file = server.put("file.zip", PAGE, kind=kind, cut=[None])
    assert "web page" in failure(server.url("file.zip"), out).what
    assert len(file.ranges_asked) == 1
    assert names_beside(out) == []


def test_a_wrong_digest_is_refused_and_both_digests_are_named(server, out):
    server.put("file.zip", BODY)
    what = failure(server.url("file.zip"), out, digest=f"sha256:{'0' * 64}").what
    assert hashlib.sha256(BODY).hexdigest() in what
    assert "0" * 64 in what
    assert names_beside(out) == []


def test_partial_bytes_that_were_changed_on_disk_fail_the_digest(server, out):
    server.put("file.zip", BODY, cut=[120_000, 0])
    failure(server.url("file.zip"), out, IncompleteDownloadError)
    body = out.with_name(f".{out.name}.body")
    body.write_bytes(b"x" + body.read_bytes()[1:])
    server.files["/file.zip"].cut = [None]
    failure(server.url("file.zip"), out, digest=f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert names_beside(out) == []


def test_a_file_that_does_not_fit_on_the_disk_is_refused_before_it_is_read(server, out, monkeypatch):
    server.put("file.zip", BODY)
    small = type(module.shutil.disk_usage("/"))(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: small)
    assert "1,000 left" in failure(server.url("file.zip"), out).what
    assert names_beside(out) == []
