"""What a score was made of, by digests, and running it again to see whether it holds."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import text_recognizer
from text_recognizer.config import EvaluateSection
from text_recognizer.data.packed import PackedSplit
from text_recognizer.errors import DataError
from text_recognizer.files import sha256
from text_recognizer.inference.info import INFO_FILE, WEIGHTS_FILE, read_info
from text_recognizer.text import MAPPING

# What a figure comes out of: how a page is read and how it is counted.
CODE = ("bands.py", "data/packed.py", "evaluation", "images.py", "inference", "metrics.py", "text.py")
PACKAGES = ("numpy", "onnxruntime", "pillow", "rapidfuzz")
# Two processors may round a probability differently; edits are whole numbers and must be equal.
TOLERANCE = 1e-5
OWN = "sha256"


@dataclass(frozen=True)
class Check:
    """One thing that a score claims. Where `binding` is False a difference is worth knowing, and no failure."""

    name: str
    holds: bool
    words: str
    binding: bool = True


def seal(packed: PackedSplit, model: Path, section: EvaluateSection) -> dict[str, Any]:
    """The digests and parameters behind a score."""
    info = read_info(model / INFO_FILE)
    return {
        "split": _digest([page.id for page in packed.pages]),
        "labels": _digest([[page.id, page.writer, page.text] for page in packed.pages]),
        "graph": info.graph_sha256,
        "weights": _weights(model, info.weights_sha256),
        "reader": sha256(model / INFO_FILE),
        "charset": _digest(MAPPING),
        "normalisation": sha256(Path(text_recognizer.__file__).parent / "text.py"),
        "code": code_digest(),
        "parameters": section.model_dump(mode="json"),
        "packages": {name: version(name) for name in PACKAGES},
    }


def sealed(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures with a digest of themselves, so that one changed by hand shows."""
    rest = {name: value for name, value in figures.items() if name != OWN}
    return {**rest, OWN: _digest(rest)}


def code_digest() -> str:
    """Of every source file that a score comes out of, by name and content."""
    root = Path(text_recognizer.__file__).parent
    places = [root / name for name in CODE]
    files = sorted(file for place in places for file in ([place] if place.is_file() else place.rglob("*.py")))
    return _digest([[str(file.relative_to(root)), sha256(file)] for file in files])


def claims(score: dict[str, Any], again: dict[str, Any]) -> Iterator[Check]:
    """What a published score claims, against the one that was made just now."""
    if not isinstance(score.get("seal"), dict):
        raise DataError("the score has no seal", "it was made by an older version; run `text-recognizer evaluate`")
    whole = sealed(score)[OWN] == score.get(OWN)
    yield Check("file", whole, "is as it was written" if whole else "was changed after it was written")
    yield _same("data", score.get("data"), again["data"])
    # An archive does not say where it came from: then what the score says of that can be neither held nor broken.
    yield _same("source", score.get("source"), again["source"], binding=again["source"] is not None)
    for name, value in again["seal"].items():
        binding = name not in ("code", "normalisation", "packages")
        yield _same(name, score["seal"].get(name), value, binding)
    for name, value in again.items():
        if name not in ("seal", OWN, "data", "source"):
            holds = close(score.get(name), value)
            yield Check(name, holds, _figure(value) if holds else f"{_figure(score.get(name))}, now {_figure(value)}")


def close(one: object, other: object) -> bool:
    """Whether two figures, or tables of them, are equal but for the last digits of a share."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(close(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= TOLERANCE
    return one == other


def _same(name: str, claimed: object, found: object, binding: bool = True) -> Check:
    if claimed == found:
        return Check(name, True, _figure(found), binding)
    if isinstance(claimed, dict) and isinstance(found, dict):
        changed = [
            f"{key} is {found.get(key)}, was {claimed.get(key)}" for key in found if claimed.get(key) != found[key]
        ]
        return Check(name, False, "; ".join(changed) or "differs", binding)
    return Check(name, False, f"{_figure(found)}, was {_figure(claimed)}", binding)


def _figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    text = json.dumps(value)
    return text.strip('"')[:12] if isinstance(value, str) else text if len(text) < 40 else f"{text[:36]} ..."


def _weights(model: Path, claimed: str) -> str:
    """The file's own digest where it is there: a bento, for instance, carries only the graph."""
    return sha256(model / WEIGHTS_FILE) if (model / WEIGHTS_FILE).is_file() else claimed


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
