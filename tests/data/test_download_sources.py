"""Files from behind a login, from S3, from a path: each arrives, and no name or password is shown."""

import hashlib
import http.server
import threading

import pytest
from tests.data.downloads import BODY, left, refused

from text_recognizer.data import download as room
from text_recognizer.data.download import download
from text_recognizer.data.transfer import Login, login_from_environment, shown
from text_recognizer.errors import DataError

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "down" / "file.zip"


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
