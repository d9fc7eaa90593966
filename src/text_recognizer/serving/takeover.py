"""Take over the model that is promoted while the service runs: load it beside the old one, try it, and swap them.

Requests in progress end with the model that they began with. A model that fails is not served: the old one stays.
"""

import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from text_recognizer.core.errors import ModelError, TextRecognizerError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.metrics import character_edits, error_rate
from text_recognizer.core.schemas import PassedVerdict, RefusedModel
from text_recognizer.inference import Recognizer
from text_recognizer.inference.model_info import GRAPH_FILE, INFO_FILE, LANGUAGE_FILE
from text_recognizer.release.verdict_file import require_passed
from text_recognizer.serving.reading_drift import Reference
from text_recognizer.serving.served import Served, now
from text_recognizer.utils.files import replace_atomically

logger = logging.getLogger(__name__)

CHAMPION_VARIABLE = "TEXT_RECOGNIZER_CHAMPION"
POLL_SECONDS = 1.0
# The page that a model must read before it is served. A model that passed the gate has a far lower error rate.
KNOWN_PICTURE = Path(__file__).with_name("assets") / "sample.png"
KNOWN_TEXT = KNOWN_PICTURE.with_suffix(".txt")
MAX_ERROR_RATE = 0.5
COPIED = (INFO_FILE, GRAPH_FILE, LANGUAGE_FILE, LAYOUT.verdict.name, LAYOUT.score.name)

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Candidate:
    """A model that may be served."""

    recognizer: Recognizer
    verdict: PassedVerdict
    reference: Reference | None = None


class Takeover:
    """Watch the folder of the model in service, and let `swap` serve each model that comes there.

    `kept` is a folder for a copy of the last model that was taken over. The process that follows this one begins with
    that model, if the one in service fails.
    """

    def __init__(self, champion: Path, kept: Path) -> None:
        self._champion = champion
        self._kept = kept / "model"
        self._seen: Stamp | None = None
        self.refused: RefusedModel | None = None

    def first(self) -> Candidate | None:
        """Return the model to begin with: the one in service, else the one that was taken over last, else None."""
        return self.next() or self._last()

    def next(self) -> Candidate | None:
        """Return the model in service if it has changed since the last call and can be served; else None."""
        stamp = _stamp(self._champion)
        if stamp is None or stamp == self._seen:
            return None
        try:
            candidate = self._try()
        except (TextRecognizerError, OSError) as error:
            if _stamp(self._champion) == stamp:  # else it was being replaced, and is tried again
                self._refuse(str(error).splitlines()[0])
                self._seen = stamp
            return None
        self._seen, self.refused = stamp, None
        return candidate

    def _try(self) -> Candidate:
        """Load and try a copy of the model: the folder itself may be replaced at any time."""
        with replace_atomically(self._kept) as draft:
            draft.mkdir()
            for name in COPIED:
                if (source := self._champion / name).is_file():
                    shutil.copyfile(source, draft / name)
            candidate = _load(draft)
            probe(candidate.recognizer)
        return candidate

    def _last(self) -> Candidate | None:
        try:
            return _load(self._kept) if self._kept.is_dir() else None
        except (TextRecognizerError, OSError) as error:
            logger.warning("the model that was served last cannot be loaded: %s", error)
            return None

    def _refuse(self, reason: str) -> None:
        self.refused = RefusedModel(reason=reason, when=now())
        logger.error("the model in %s is not served, the one before it stays: %s", self._champion, reason)


def _load(folder: Path) -> Candidate:
    recognizer = Recognizer.load(folder)
    verdict = require_passed(folder / LAYOUT.verdict.name, recognizer.digest)
    return Candidate(recognizer, verdict, Reference.read(folder / LAYOUT.score.name))


def probe(recognizer: Recognizer) -> None:
    """Read the known page. Raises ModelError if that fails, or if most of the text is wrong."""
    expected = KNOWN_TEXT.read_text(encoding="utf-8").strip()
    try:
        found = recognizer.read(KNOWN_PICTURE).text
    except Exception as error:  # whatever a foreign graph makes onnxruntime raise
        what = f"the model fails to read the known page: {' '.join(str(error).split())[:200]}"
        raise ModelError(what, "export it again") from error
    rate = error_rate([character_edits(expected, found)])
    if not rate <= MAX_ERROR_RATE:
        what = f"the model reads {rate:.0%} of the known page wrong; at most {MAX_ERROR_RATE:.0%} may be"
        raise ModelError(what, "evaluate it again, and roll back: `text-recognizer rollback`")


def watch(takeover: Takeover, swap: Callable[[Candidate], None], stopped: threading.Event) -> None:
    """Call `swap` with each model that is put into service, until `stopped` is set."""
    while not stopped.wait(POLL_SECONDS):
        try:
            if candidate := takeover.next():
                swap(candidate)
        except Exception:  # whatever it is: without this thread, no later model would be taken over
            logger.exception("the model in service could not be taken over; it is tried again")


def exchanged(served: Served, candidate: Candidate) -> Served:
    """Return what is served after the model was exchanged: all else stays as it is."""
    served.watch.begin(candidate.recognizer.digest, candidate.reference)
    feedback = served.feedback and served.feedback.for_model(candidate.recognizer.info)
    return replace(served, recognizer=candidate.recognizer, verdict=candidate.verdict, feedback=feedback, since=now())


def _stamp(folder: Path) -> Stamp | None:
    """Return what changes when a model folder is replaced; None if there is none, as while it is being replaced."""
    if not folder.is_dir():
        return None
    return tuple(_file_stamp(folder / name) for name in COPIED)


def _file_stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_mtime_ns, found.st_size
