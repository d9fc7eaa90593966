"""Open remote files: over HTTP, or from anything that fsspec opens. Both can start in the middle of a file."""

import base64
import email.message
import http.client
import http.cookiejar
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar

from text_recognizer.core.errors import ConnectionFailedError, DataError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

TIMEOUT = 60  # seconds without a byte
MAX_WAIT = 60.0  # seconds; a server may ask to wait longer
RETRY_STATUSES = (408, 425, 429, 500, 502, 503, 504)
Result = TypeVar("Result")
FIX = "check the address in data.sources and the connection"


class TransferInterruptedError(Exception):
    """The connection was cut, or the server was busy. Another try may succeed, after `wait` seconds.

    If `restart` is true, the bytes that have arrived cannot be used any more.
    """

    def __init__(self, reason: str, wait: float = 0.0, restart: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.restart = wait, restart


@dataclass(frozen=True)
class OpenedSource:
    """The bytes of a file from offset `start` on. `total` is the size of the whole file, None if it is unknown.

    `tag` identifies this version of the content, so that a later try can ask for the rest of the same version. It is
    None if the source gives none or cannot start in the middle. `is_web_page` is true if the server declares HTML.
    """

    stream: BinaryIO
    start: int
    total: int | None
    tag: str | None
    is_web_page: bool = False


class Source(Protocol):
    """A file that can be opened at an offset."""

    def open(self, offset: int, tag: str | None) -> OpenedSource:
        """Open the file at `offset` if its content still has this `tag`, else at 0.

        Raises:
            TransferInterruptedError: another try may succeed at once.
            ConnectionFailedError: another try may succeed later.
            DataError: another try cannot succeed.
        """


@dataclass(frozen=True)
class Login:
    """The address of a login form, a user and a password. The fields of the form are those of IAM's site.

    `repr` hides the user and the password.
    """

    address: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({redact_address(self.address)!r})"


def login_from_environment(address: str, user_variable: str, password_variable: str) -> Login:
    """Return the login that two environment variables hold. Raises DataError, with the name, if one is not set."""
    for variable in (user_variable, password_variable):
        if not os.environ.get(variable):
            raise DataError(
                f"{variable} is not set, but {redact_address(address)} requires a login",
                f"register there, then set {user_variable} and {password_variable} in the environment, "
                "never in a file in git",
            )
    return Login(address, os.environ[user_variable], os.environ[password_variable])


def source_for(address: str, login: Login | None = None) -> Source:
    """Return the source for a path or URL."""
    return HttpSource(address, login) if address.startswith(("http://", "https://")) else FsspecSource(address)


def is_remote(address: str) -> bool:
    """Return whether an address leads to another machine."""
    return "://" in address and not address.startswith("file://")


def redact_address(address: str) -> str:
    """Remove a user, a password and a signature from an address, so that it can be shown in messages."""
    if "://" not in address:
        return address
    scheme, _, tail = address.partition("://")
    host, slash, rest = tail.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{rest.partition('?')[0]}"


class HttpSource:
    """A file on a web server. If a login is given, it is used before the first request."""

    def __init__(self, address: str, login: Login | None = None) -> None:
        self.name, self.login, self.signed_in = redact_address(address), login, False
        self.address, self.headers = _split_credentials(address)
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def open(self, offset: int, tag: str | None) -> OpenedSource:
        """See `Source.open`. The rest of a file is requested with Range and If-Range."""
        self._sign_in()
        request = urllib.request.Request(self.address, headers={"Accept-Encoding": "identity"})
        for name, value in self.headers.items():
            request.add_unredirected_header(name, value)  # not sent to another host after a redirect
        if offset and tag:
            request.add_header("Range", f"bytes={offset}-")
            request.add_header("If-Range", tag)
        response = self._request(request)
        is_web_page = response.headers.get_content_type() in ("text/html", "application/xhtml+xml")
        if response.status == 206:
            start, total = _content_range(response.headers.get("Content-Range", ""))
            if start != offset or _content_tag(response.headers) not in (None, tag):
                response.close()
                raise TransferInterruptedError("the rest does not fit the bytes that have arrived", restart=True)
            return OpenedSource(response, start, total, tag, is_web_page)
        length = response.headers.get("Content-Length")
        return OpenedSource(response, 0, int(length) if length else None, _content_tag(response.headers), is_web_page)

    def _sign_in(self) -> None:
        if self.login is None or self.signed_in:
            return
        form = urllib.parse.urlencode({"email": self.login.user, "password": self.login.password}).encode()
        self._request(urllib.request.Request(self.login.address, data=form)).close()
        self.signed_in = True

    def _request(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        try:
            response: http.client.HTTPResponse = self._opener.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            error.close()
            raise self._refusal(error) from None
        except urllib.error.URLError as error:
            raise TransferInterruptedError(f"{error.reason}") from None
        except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise TransferInterruptedError(f"{type(error).__name__} {error}".strip()) from None
        return response

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        """Return the exception for an HTTP status of 400 or more."""
        if error.code in RETRY_STATUSES:
            return TransferInterruptedError(f"{error.code} {error.reason}", _retry_after(error.headers))
        if error.code == 416:  # more bytes have arrived than the file has now
            return TransferInterruptedError("416 the file has become shorter", restart=True)
        what = f"{self.name} cannot be fetched: {error.code} {error.reason}"
        if error.code in (401, 403):
            return DataError(what, "check the user and the password")
        # The file may appear later.
        return ConnectionFailedError(what, FIX)


class FsspecSource:
    """A path, or an address that fsspec knows: s3, file, and others whose package is installed."""

    def __init__(self, address: str) -> None:
        self.address, self.name = address, redact_address(address)
        self._errors: tuple[type[Exception], ...] = (OSError, RuntimeError, *client_error_types(address))
        # Errors of a local path are final.
        self._failure = ConnectionFailedError if is_remote(address) else DataError

    def open(self, offset: int, tag: str | None) -> OpenedSource:
        """See `Source.open`. The tag holds the size and the time of the last change."""
        files, path = self._attempt(self._find)
        info = self._attempt(lambda: files.info(path))
        if info["type"] == "directory":
            raise DataError(f"{self.name} cannot be fetched: it is a folder", FIX)
        known = {key: str(info[key]) for key in ("ETag", "mtime", "LastModified", "size") if info.get(key) is not None}
        current_tag = json.dumps(known, sort_keys=True)
        stream: BinaryIO = self._attempt(lambda: files.open(path, "rb"))
        start = offset if tag == current_tag else 0
        self._attempt(lambda: stream.seek(start))
        return OpenedSource(stream, start, info.get("size"), current_tag)

    def _find(self) -> "tuple[AbstractFileSystem, str]":
        from fsspec.core import url_to_fs

        files, path = url_to_fs(self.address)
        return files, path

    def _attempt(self, act: Callable[[], Result]) -> Result:
        """Return the result of `act`, with the exceptions of fsspec and its clients turned into ours."""
        try:
            return act()
        except FileNotFoundError:
            raise self._failure(f"{self.name} cannot be fetched: there is no such file", FIX) from None
        except ConnectionError as error:
            raise TransferInterruptedError(str(error)) from None
        except (PermissionError, ValueError, ImportError) as error:  # also a protocol that is unknown or not installed
            raise DataError(f"{self.name} cannot be fetched: {_one_line(error)}", FIX) from None
        except self._errors as error:
            raise self._failure(f"{self.name} cannot be fetched: {_one_line(error)}", FIX) from None


def client_error_types(address: str) -> tuple[type[Exception], ...]:
    """Return the exceptions of the library behind an address that are not exceptions of Python itself."""
    if not address.startswith(("s3://", "s3a://")):
        return ()
    import aiohttp
    import botocore.exceptions

    return botocore.exceptions.BotoCoreError, aiohttp.ClientError


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _split_credentials(address: str) -> tuple[str, dict[str, str]]:
    """Return the address without its user and password, and the header that holds them instead."""
    try:
        parts = urllib.parse.urlsplit(address)
        if not parts.hostname:
            raise ValueError("the address has no host")
    except ValueError as error:
        raise DataError(f"{redact_address(address)} cannot be fetched: {error}", FIX) from None
    if parts.username is None:
        return address, {}
    pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
    bare = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _content_tag(headers: email.message.Message) -> str | None:
    """Return what If-Range may name (RFC 9110, 13.1.5): a strong ETag, else the date; None without range requests."""
    if headers.get("Accept-Ranges", "").lower() == "none":
        return None
    etag = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")


def _content_range(value: str) -> tuple[int, int | None]:
    """Return the start and the total size of a Content-Range such as `bytes 10-99/100`."""
    try:
        span, _, total = value.removeprefix("bytes ").partition("/")
        return int(span.partition("-")[0]), None if total == "*" else int(total)
    except ValueError:
        raise TransferInterruptedError(f"the server sent the range {value!r}", restart=True) from None


def _retry_after(headers: email.message.Message) -> float:
    value = headers.get("Retry-After", "")
    return min(float(value), MAX_WAIT) if value.isdigit() else 0.0
