"""How an operator sets up the service: by environment variables, which `text-recognizer serve` sets by its options."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from text_recognizer.core.errors import ConfigError
from text_recognizer.serving.hosts import allowed_hosts
from text_recognizer.serving.tokens import Token, read_tokens

RATE_VARIABLE = "TEXT_RECOGNIZER_RATE"
ROOT_PATH_VARIABLE = "TEXT_RECOGNIZER_ROOT_PATH"
ORIGINS_VARIABLE = "TEXT_RECOGNIZER_ORIGINS"


@dataclass(frozen=True)
class Settings:
    """Who may ask for what, how often, and below which path.

    Without `hosts` or `tokens`, all are let in. `rate` is requests a minute; 0 means any number. `origins` are the
    other sites whose pages may read the answers; `*` means all.
    """

    hosts: frozenset[str] = frozenset()
    tokens: tuple[Token, ...] = ()
    rate: int = 0
    root_path: str = ""
    origins: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables. Raises ConfigError if one is not valid."""
        return cls(
            allowed_hosts(environment),
            read_tokens(environment),
            _rate(environment),
            _root_path(environment),
            _origins(environment),
        )


def _rate(environment: Mapping[str, str]) -> int:
    value = environment.get(RATE_VARIABLE) or "0"
    if not (value.isascii() and value.isdigit()):
        raise ConfigError(f"{RATE_VARIABLE} = {value!r} is no number", "give the requests a minute, such as 60")
    return int(value)


def _root_path(environment: Mapping[str, str]) -> str:
    value = environment.get(ROOT_PATH_VARIABLE, "").rstrip("/")
    if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
        raise ConfigError(f"{ROOT_PATH_VARIABLE} = {value!r} is no path", "give one such as /reader")
    return value


def _origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    values = environment.get(ORIGINS_VARIABLE, "").replace(",", " ").split()
    for value in values:
        if value != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", value):
            raise ConfigError(
                f"{ORIGINS_VARIABLE}: {value!r} is no origin", "give one such as https://pages.example.org"
            )
    return tuple(values)
