"""Where bytes come from: an HTTP server, or anything that fsspec opens. Both can start in the middle."""

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
from typing import Any, BinaryIO, Protocol, TypeVar

from text_recognizer.errors import DataError

TIMEOUT = 60  # s without a byte
LONGEST_WAIT = 60.0  # s that a server may ask to wait
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
Result = TypeVar("Result")
FIX = "check data.source and the connection"


class CutError(Exception):
    """The line was cut, or the server was busy: worth another try, after `wait` seconds where it says so.

    `afresh` says that what has arrived is of no use any more.
    """

    def __init__(self, reason: str, wait: float = 0.0, afresh: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.afresh = wait, afresh


@dataclass(frozen=True)
class Opened:
    """Bytes from `start` on, of `total` in all where that is known.

    `tag` names this version of the content, so that a later try can ask for the rest of the same; None where the source
    gives none or cannot start in the middle. `page` says that the source itself calls it a web page.
    """

    stream: BinaryIO
    start: int
    total: int | None
    tag: str | None
    page: bool = False


class Source(Protocol):
    def open(self, offset: int, tag: str | None) -> Opened:
        """From `offset`, if it is still what `tag` named, else from 0. Raises CutError or DataError."""


@dataclass(frozen=True)
class Login:
    """Where to sign in, and as whom; the form's fields are those of IAM's site. Its `repr` keeps the password."""

    address: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({shown(self.address)!r})"


def login_from_environment(address: str, user: str, password: str) -> Login:
    """The login that two environment variables hold. Raises DataError naming one that is unset."""
    for variable in (user, password):
        if not os.environ.get(variable):
            raise DataError(
                f"{variable} is not set, and {shown(address)} wants a login",
                f"register there, then set {user} and {password} in the environment, never in a file in git",
            )
    return Login(address, os.environ[user], os.environ[password])


def source_of(address: str, login: Login | None = None) -> Source:
    return HttpSource(address, login) if address.startswith(("http://", "https://")) else FsspecSource(address)


def shown(address: str) -> str:
    """The address without a name, a password or a signature that it may carry: for messages."""
    if "://" not in address:
        return address
    head, _, tail = address.partition("://")
    host, slash, rest = tail.partition("/")
    return f"{head}://{host.rpartition('@')[2]}{slash}{rest.partition('?')[0]}"


class HttpSource:
    """One address on a web server, after signing in where a login is given."""

    def __init__(self, address: str, login: Login | None = None) -> None:
        self.name, self.login, self.signed_in = shown(address), login, False
        self.address, self.headers = _without_user(address)
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def open(self, offset: int, tag: str | None) -> Opened:
        self._sign_in()
        request = urllib.request.Request(self.address, headers={"Accept-Encoding": "identity"})
        for name, value in self.headers.items():
            request.add_unredirected_header(name, value)  # another host that it sends us to must not see it
        if offset and tag:
            request.add_header("Range", f"bytes={offset}-")
            request.add_header("If-Range", tag)
        answer = self._ask(request)
        page = answer.headers.get_content_type() in ("text/html", "application/xhtml+xml")
        if answer.status == 206:
            start, total = _content_range(answer.headers.get("Content-Range", ""))
            if start != offset or _tag(answer.headers) not in (None, tag):
                answer.close()
                raise CutError("the rest that it sent does not fit what has arrived", afresh=True)
            return Opened(answer, start, total, tag, page)
        length = answer.headers.get("Content-Length")
        return Opened(answer, 0, int(length) if length else None, _tag(answer.headers), page)

    def _sign_in(self) -> None:
        if self.login is None or self.signed_in:
            return
        form = urllib.parse.urlencode({"email": self.login.user, "password": self.login.password}).encode()
        self._ask(urllib.request.Request(self.login.address, data=form)).close()
        self.signed_in = True

    def _ask(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        try:
            return self._opener.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in TRY_AGAIN:
                raise CutError(f"{error.code} {error.reason}", _wait(error.headers)) from None
            if error.code == 416:  # what has arrived is longer than what there is now
                raise CutError("416 there is no rest", afresh=True) from None
            fix = "check the name and password" if error.code in (401, 403) else FIX
            raise DataError(f"{self.name} cannot be fetched: {error.code} {error.reason}", fix) from None
        except urllib.error.URLError as error:
            raise CutError(f"{error.reason}") from None
        except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise CutError(f"{type(error).__name__} {error}".strip()) from None


class FsspecSource:
    """A path, or an address that fsspec knows: s3, file, and others whose package is installed."""

    def __init__(self, address: str) -> None:
        self.address, self.name = address, shown(address)

    def open(self, offset: int, tag: str | None) -> Opened:
        files, path = self._try(self._find)
        info = self._try(lambda: files.info(path))
        if info["type"] == "directory":
            raise DataError(f"{self.name} cannot be fetched: it is a folder", FIX)
        known = {key: str(info[key]) for key in ("ETag", "mtime", "LastModified", "size") if info.get(key) is not None}
        now = json.dumps(known, sort_keys=True)
        stream = self._try(lambda: files.open(path, "rb"))
        start = offset if tag == now else 0
        self._try(lambda: stream.seek(start))
        return Opened(stream, start, info.get("size"), now)

    def _find(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        return url_to_fs(self.address)

    def _try(self, act: Callable[[], Result]) -> Result:
        expected: tuple[type[Exception], ...] = (
            OSError,
            ValueError,
            ImportError,
            RuntimeError,
            *client_errors(self.address),
        )
        try:
            return act()
        except FileNotFoundError:
            raise DataError(f"there is no {self.name}: there is nothing at that place", FIX) from None
        except ConnectionError as error:
            raise CutError(str(error)) from None
        except expected as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DataError(f"{self.name} cannot be fetched: {reason}", FIX) from None


def client_errors(address: str) -> tuple[type[Exception], ...]:
    """What the library behind an address raises that is no error of Python's own."""
    if not address.startswith(("s3://", "s3a://")):
        return ()
    import aiohttp
    import botocore.exceptions

    return botocore.exceptions.BotoCoreError, aiohttp.ClientError


def _without_user(address: str) -> tuple[str, dict[str, str]]:
    """The address without the name and password in it, and the header that says them instead."""
    try:
        parts = urllib.parse.urlsplit(address)
        if not parts.hostname:
            raise ValueError("it names no host")
    except ValueError as error:
        raise DataError(f"{shown(address)} cannot be fetched: {error}", FIX) from None
    if parts.username is None:
        return address, {}
    pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
    bare = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _tag(headers: email.message.Message) -> str | None:
    """What If-Range may name (RFC 9110, 13.1.5): a strong ETag, else the date; None where ranges are not served."""
    if headers.get("Accept-Ranges", "").lower() == "none":
        return None
    etag = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")


def _content_range(value: str) -> tuple[int, int | None]:
    """Start and whole length of `bytes 10-99/100`."""
    try:
        span, _, total = value.removeprefix("bytes ").partition("/")
        return int(span.partition("-")[0]), None if total == "*" else int(total)
    except ValueError:
        raise CutError(f"it sent a part with the range {value!r}", afresh=True) from None


def _wait(headers: email.message.Message) -> float:
    value = headers.get("Retry-After", "")
    return min(float(value), LONGEST_WAIT) if value.isdigit() else 0.0
