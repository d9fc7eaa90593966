"""Answer only requests for the names that the server has.

A page of another site can give its own name the address of this computer, and then use a server that listens there.
The browser still names that site as the host.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from text_recognizer.serving.problems import describe, to_response

HOSTS_VARIABLE = "TEXT_RECOGNIZER_HOSTS"
THIS_COMPUTER = ("127.0.0.1", "localhost", "[::1]")


def allowed_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the hosts that HOSTS_VARIABLE lists, separated by commas; none, if it is not set: then all are allowed."""
    names = environment.get(HOSTS_VARIABLE, "").split(",")
    return frozenset(name.strip().lower() for name in names if name.strip())


class KnownHosts:
    """ASGI middleware that answers a request for any other host with status 421. Without hosts, all are answered."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = frozenset()) -> None:
        self.app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self.app
        if scope["type"] == "http" and self._hosts:
            host = _without_port(Headers(scope=scope).get("host", ""))
            if host not in self._hosts:
                app = to_response(describe(421, f"this server does not answer for the host {host[:100]!a}"))
        await app(scope, receive, send)


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


class RootPath:
    """ASGI middleware that tells the application below which path of a proxy it is."""

    def __init__(self, app: ASGIApp, root_path: str = "") -> None:
        self.app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "root_path": self._root_path} if self._root_path else scope, receive, send)


def path_of(scope: Scope) -> str:
    """Return the path of a request below the root path, whether a proxy has left that in place or not."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
