"""One file from a server that fails in every way: it arrives whole, or the fault is named and nothing lies there."""

import hashlib
import http.server
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from text_recognizer.data import download as room
from text_recognizer.data.download import UnfinishedError, download
from text_recognizer.data.transfer import Login, login_from_environment, shown
from text_recognizer.errors import DataError

BODY = random.Random(1).randbytes(300_000)
PAGE = b"\xef\xbb\xbf\r\n <!DOCTYPE html><html>Please sign in</html>"
pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "down" / "file.zip"


def left(out):
    """Names of what lies in the folder, hidden files included."""
    return sorted(path.name for path in out.parent.iterdir()) if out.parent.exists() else []


def refused(address, out, kind=DataError, **how):
    with pytest.raises(kind) as caught:
        download(address, out, **how)
    assert not out.exists()
    return caught.value


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


# --- logins


def test_it_signs_in_and_carries_the_session_along(server, out):
    server.users["me@here"] = "se+cret&1"
    server.put("file.zip", BODY, wants_login=True, cut=[100_000, None])
    download(server.url("file.zip"), out, login=Login(server.url("login"), "me@here", "se+cret&1"))
    assert out.read_bytes() == BODY


def test_a_wrong_password_is_told_and_never_shown(server, out, capfd):
    server.users["me@here"] = "right"
    server.put("file.zip", BODY, wants_login=True)
    login = Login(server.url("login"), "me@here", "hunter2")
    error = refused(server.url("file.zip"), out, login=login)
    assert "a login" in error.what
    said = "".join([str(error), repr(login), *capfd.readouterr(), *server.log])
    assert "hunter2" not in said


def test_a_login_that_is_not_set_is_named(monkeypatch):
    monkeypatch.setenv("SITE_USER", "me")
    monkeypatch.delenv("SITE_PASSWORD", raising=False)
    with pytest.raises(DataError, match="SITE_PASSWORD is not set"):
        login_from_environment("http://here/login", "SITE_USER", "SITE_PASSWORD")
    monkeypatch.setenv("SITE_PASSWORD", "secret")
    assert login_from_environment("http://here/login", "SITE_USER", "SITE_PASSWORD").password == "secret"


def test_a_name_and_password_in_an_address_sign_in_and_are_not_shown(out):
    seen = []

    class Guarded(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers.get("Authorization"))
            self.send_error(403)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Guarded) as guarded:
        import threading

        threading.Thread(target=guarded.handle_request, daemon=True).start()
        address = f"http://me:hunter2@127.0.0.1:{guarded.server_port}/file.zip?token=hunter3"
        error = refused(address, out)
    assert seen == ["Basic bWU6aHVudGVyMg=="]
    assert "hunter" not in str(error)


def test_what_is_shown_of_an_address():
    assert shown("https://me:pw@host:8/a/b.zip?sig=1") == "https://host:8/a/b.zip"
    assert shown("/data/a?b.zip") == "/data/a?b.zip"


# --- S3, and files


def test_a_file_comes_from_s3(s3, out):
    client, bucket = s3
    client.put_object(Bucket=bucket, Key="in/file.zip", Body=BODY)
    download(f"s3://{bucket}/in/file.zip", out, f"sha256:{hashlib.sha256(BODY).hexdigest()}")
    assert out.read_bytes() == BODY
    assert left(out) == ["file.zip"]


@pytest.mark.parametrize("key", ["none.zip", "in"])
def test_what_s3_does_not_have_is_refused(s3, out, key):
    client, bucket = s3
    client.put_object(Bucket=bucket, Key="in/file.zip", Body=BODY)
    refused(f"s3://{bucket}/{key}", out)
    assert left(out) == []


@pytest.mark.parametrize("changed", [False, True])
def test_a_download_from_s3_goes_on_if_the_object_is_the_same(s3, out, changed):
    client, bucket = s3
    client.put_object(Bucket=bucket, Key="rest.zip", Body=BODY)
    address = f"s3://{bucket}/rest.zip"
    # Given the first part of it, as a cut would leave it
    source = room.source_of(address)
    partial = room.Partial.beside(out, address)
    partial.begin(source.open(0, None).tag)
    partial.body.write_bytes(b"y" + BODY[1:100_000])
    # When it is asked for again
    if changed:
        client.put_object(Bucket=bucket, Key="rest.zip", Body=BODY[::-1])
    download(address, out)
    # Then the first part is what it was, unless the object is another
    assert out.read_bytes() == (BODY[::-1] if changed else b"y" + BODY[1:])


def test_s3_without_credentials_is_told(s3, out, monkeypatch, tmp_path):
    _, bucket = s3
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    for variable in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    assert "cannot be fetched" in refused(f"s3://{bucket}/secret.zip", out).what
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("as_url", [False, True])
def test_a_file_comes_from_a_path_or_its_url(tmp_path, out, as_url):
    source = tmp_path / "a b.zip"
    source.write_bytes(BODY)
    download(source.as_uri().replace("%20", " ") if as_url else str(source), out)
    assert out.read_bytes() == BODY


@pytest.mark.parametrize("address", ["gopher://x/file.zip", "http://", "http://[::1", "/no/such/file.zip"])
def test_an_address_that_is_none_is_refused(out, address):
    refused(address, out)
    assert left(out) == []


def test_a_download_says_how_far_and_how_fast(server, out, capfd):
    server.put("file.zip", BODY)
    download(server.url("file.zip"), out)
    said = capfd.readouterr().err
    assert "fetch file.zip" in said
    assert "293k/293k" in said
    assert "B/s" in said
    assert Path(out).exists()
