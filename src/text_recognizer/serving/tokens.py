"""Let in only who has a token, if the operator has given out tokens. Each token has a name and a role."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from text_recognizer.core.errors import ConfigError
from text_recognizer.core.schemas import Problem
from text_recognizer.serving.hosts import path_of
from text_recognizer.serving.problems import describe, to_response

TOKENS_VARIABLE = "TEXT_RECOGNIZER_TOKENS"
TOKENS_FILE_VARIABLE = "TEXT_RECOGNIZER_TOKENS_FILE"
FORMAT = "write a line for each token: NAME ROLE TOKEN, where the role is read, correct or admin"
MIN_LENGTH = 20
ROLES = ("read", "correct", "admin")  # each may do what those before it may
HOLDER = "text_recognizer.token"  # the key of a request's token in its scope
# What a browser loads before anybody can type a token, and what supervisors ask.
OPEN = ("/", "/sample.png", "/docs", "/openapi.json", "/livez", "/readyz", "/healthz")
OPEN_FOLDER = "/docs/"
# The first pattern that a path begins with says which role it needs.
NEEDED = (("/metrics", "admin"), ("/drift", "admin"), ("/corrections", "correct"), ("/", "read"))


@dataclass(frozen=True)
class Token:
    """A token: who has it, what it allows, and its digest."""

    name: str
    role: str
    digest: bytes

    def allows(self, role: str) -> bool:
        """Return whether the token is enough for what needs this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


def read_tokens(environment: Mapping[str, str]) -> tuple[Token, ...]:
    """Return the tokens of TOKENS_VARIABLE and of the file that TOKENS_FILE_VARIABLE names; none, if neither is set.

    Raises ConfigError if the file or one of the lines is not valid. No message repeats a token.
    """
    text, named = environment.get(TOKENS_VARIABLE, ""), environment.get(TOKENS_FILE_VARIABLE, "")
    tokens = _parse(text, TOKENS_VARIABLE)
    if named:
        try:
            tokens += _parse(Path(named).read_text(encoding="utf-8"), named)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{TOKENS_FILE_VARIABLE} = {named!r} cannot be read: {error}", FORMAT) from None
    if (text or named) and not tokens:
        raise ConfigError(f"{named or TOKENS_VARIABLE} holds no token", FORMAT)
    if len({token.name for token in tokens}) < len(tokens):
        raise ConfigError("two tokens have the same name", "give each its own name")
    return tokens


def _parse(text: str, source: str) -> tuple[Token, ...]:
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1)]
    return tuple(_token(parts, f"{source}, line {number}") for number, parts in lines if parts and parts[0][0] != "#")


def _token(parts: list[str], where: str) -> Token:
    if len(parts) != 3 or parts[1] not in ROLES:
        raise ConfigError(f"{where} is no token", FORMAT)
    name, role, token = parts
    if len(token) < MIN_LENGTH:
        fix = "make one: python -c 'import secrets; print(secrets.token_urlsafe())'"
        raise ConfigError(f"{where}: the token is shorter than {MIN_LENGTH} characters", fix)
    return Token(name, role, _digest(token))


class Authorised:
    """ASGI middleware that answers requests without a token with 401, and those whose token does not suffice with 403.

    Without tokens, all requests pass.
    """

    def __init__(self, app: ASGIApp, tokens: tuple[Token, ...] = ()) -> None:
        self.app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self.app
        if scope["type"] == "http" and self._tokens:
            scope[HOLDER] = token = self._find(Headers(scope=scope).get("authorization", ""))
            if problem := _refusal(path_of(scope), token):
                headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
                app = to_response(problem, headers)
        await app(scope, receive, send)

    def _find(self, header: str) -> Token | None:
        """Return the token of a request. The time does not tell which part of a token is right."""
        kind, _, sent = header.partition(" ")
        digest = _digest(sent.strip())
        found = [token for token in self._tokens if hmac.compare_digest(token.digest, digest)]
        return found[0] if found and kind.lower() == "bearer" else None


def _refusal(path: str, token: Token | None) -> Problem | None:
    if path in OPEN or path.startswith(OPEN_FOLDER):
        return None
    role = next(role for start, role in NEEDED if path.startswith(start))
    if token is None:
        return describe(401, "the request has no token that this service knows")
    if not token.allows(role):
        return describe(403, f"this needs a token of the role {role}; {token.name} has the role {token.role}")
    return None


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def token_of(scope: Scope) -> Token | None:
    """Return the token of a request; None if the service has no tokens."""
    token = scope.get(HOLDER)
    assert token is None or isinstance(token, Token)
    return token


def client_of(scope: Scope) -> str:
    """Return what a client is counted by: the name of its token, else its address."""
    token = token_of(scope)
    return f"token {token.name}" if token else str((scope.get("client") or ("unknown",))[0])
