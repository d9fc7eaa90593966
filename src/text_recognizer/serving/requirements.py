"""Pin the packages that a bento needs, with all their requirements, at the versions of the lock file."""

import re
from collections.abc import Sequence
from pathlib import Path

from text_recognizer.core.errors import ConfigError


def pin(names: Sequence[str], lock: Path) -> list[str]:
    """Return `name==version` for `names` and all their requirements, sorted; `lock` has lines of `name==version`.

    The requirements are read from the installed packages. BentoML is left out: it adds its own version. Raises
    ConfigError if a package is not installed, or not in the lock.
    """
    versions = _versions(lock)
    needed = sorted(_closure(names))
    if missing := [name for name in needed if name not in versions]:
        raise ConfigError(f"{lock} pins no version of {', '.join(missing)}", "compile the lock file again")
    return [f"{name}=={versions[name]}" for name in needed if name != "bentoml"]


def _versions(lock: Path) -> dict[str, str]:
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ConfigError(f"{lock} does not exist", "run from the project's folder") from None
    matches = [re.match(r"([\w.-]+)==([\w.+!-]+)", line) for line in lines]
    return {_canonical(match[1]): match[2] for match in matches if match}


def _closure(names: Sequence[str]) -> set[str]:
    """Return the canonical names of `names` and of all their requirements on this Python and system."""
    found: set[str] = set()
    waiting = [_canonical(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_required(name))
    return found


def _required(name: str) -> list[str]:
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    try:
        requirements = [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:
        raise ConfigError(
            f"{name} is not installed, so its requirements are unknown", "install what requirements.lock pins"
        ) from None
    return [_canonical(one.name) for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
