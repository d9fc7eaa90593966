"""Provenance: digests of all that a score was computed from, and the comparison of a score with a second run."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

import text_recognizer
from text_recognizer.core.charset import CHARSET
from text_recognizer.core.params import EvaluateSection
from text_recognizer.core.schemas import Provenance, Score
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.inference.model_info import INFO_FILE, WEIGHTS_FILE, read_info
from text_recognizer.utils.files import json_digest, sha256

# The code that a figure depends on: how a page is read, and how edits are counted.
CODE = ("core/charset.py", "core/metrics.py", "corpora/packed_pages.py", "evaluation", "inference", "pages")
NORMALISATION = "core/charset.py"
PACKAGES = ("numpy", "onnxruntime", "pillow", "rapidfuzz")
# Two processors may round a probability differently. Edits are whole numbers and must be equal.
TOLERANCE = 1e-5
# A difference in these is worth knowing, but the score holds if its figures are the same all the same.
ADVISORY = ("code", "normalisation", "packages")


@dataclass(frozen=True)
class Check:
    """Whether one field of a score was reproduced. If `binding` is false, a difference is a note and no failure."""

    name: str
    passed: bool
    detail: str
    binding: bool = True


def collect_provenance(packed: PackedSplit, model: Path, section: EvaluateSection) -> Provenance:
    """Return the digests and parameters behind the score of the model folder `model` on `packed`."""
    info = read_info(model / INFO_FILE)
    return Provenance(
        split=json_digest([page.id for page in packed.pages]),
        labels=json_digest([[page.id, page.writer, page.text] for page in packed.pages]),
        graph=info.graph_sha256,
        weights=_weights_digest(model, info.weights_sha256),
        reader=sha256(model / INFO_FILE),
        charset=json_digest(CHARSET),
        normalisation=sha256(_package_folder() / NORMALISATION),
        code=code_digest(),
        parameters=section.model_dump(mode="json"),
        packages={name: version(name) for name in PACKAGES},
    )


def data_digest(packed: PackedSplit) -> str:
    """Return the sha256 over the ids, writers, texts and pictures of a split, in their order."""
    labels = [[page.id, page.writer, page.text] for page in packed.pages]
    header = [labels, list(packed.canvases.shape), str(packed.canvases.dtype)]
    digest = hashlib.sha256(json.dumps(header).encode())
    for canvas in packed.canvases:
        digest.update(np.ascontiguousarray(canvas).tobytes())
    return digest.hexdigest()


def score_digest(score: Score) -> str:
    """Return the digest of all fields of a score but `sha256`, which keeps it so that a manual change is found."""
    return json_digest(score.model_dump(mode="json", exclude={"sha256"}))


def code_digest() -> str:
    """Return the digest of every source file that a figure depends on, by name and content."""
    return json_digest([[str(file.relative_to(_package_folder())), sha256(file)] for file in code_files()])


def code_files() -> list[Path]:
    """Return the source files that a figure depends on, sorted."""
    places = [_package_folder() / name for name in CODE]
    return sorted(file for place in places for file in ([place] if place.is_file() else place.rglob("*.py")))


def compare_scores(published: Score, again: Score) -> Iterator[Check]:
    """Compare each field of a published score with that of the score that was computed again."""
    unchanged = score_digest(published) == published.sha256
    yield Check("file", unchanged, "is as it was written" if unchanged else "was changed after it was written")
    yield _compare("data", published.data, again.data)
    # An archive does not say which kind of source it is, so that the published source can be neither right nor wrong.
    yield _compare("source", published.source, again.source, binding=again.source is not None)
    before, now = published.provenance.model_dump(mode="json"), again.provenance.model_dump(mode="json")
    for name, value in now.items():
        yield _compare(name, before[name], value, name not in ADVISORY)
    hidden = {"provenance", "sha256", "data", "source"}
    before, now = published.model_dump(mode="json", exclude=hidden), again.model_dump(mode="json", exclude=hidden)
    for name, value in now.items():
        passed = nearly_equal(before[name], value)
        yield Check(name, passed, _short(value) if passed else f"{_short(before[name])}, now {_short(value)}")


def nearly_equal(one: object, other: object) -> bool:
    """Return whether two JSON values are equal, up to TOLERANCE in their fractions."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(nearly_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(nearly_equal(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= TOLERANCE
    return one == other


def _compare(name: str, published: object, now: object, binding: bool = True) -> Check:
    if published == now:
        return Check(name, True, _short(now), binding)
    if isinstance(published, dict) and isinstance(now, dict):
        keys = sorted(key for key in published.keys() | now.keys() if published.get(key) != now.get(key))
        detail = "; ".join(f"{key} is {now.get(key)}, was {published.get(key)}" for key in keys)
        return Check(name, False, detail, binding)
    return Check(name, False, f"{_short(now)}, was {_short(published)}", binding)


def _short(value: object) -> str:
    """Return a value in a few characters, for a terminal."""
    if isinstance(value, float):
        return f"{value:.4f}"
    text = json.dumps(value)
    return text.strip('"')[:12] if isinstance(value, str) else text if len(text) < 40 else f"{text[:36]} ..."


def _package_folder() -> Path:
    return Path(text_recognizer.__file__).parent


def _weights_digest(model: Path, stated: str) -> str:
    """Return the digest of the weights file, or the stated one if the file is absent: a bento has only the graph."""
    return sha256(model / WEIGHTS_FILE) if (model / WEIGHTS_FILE).is_file() else stated
