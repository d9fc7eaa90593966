"""Find the score of the model in service on the pages that a challenger was scored on."""

import json
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from text_recognizer.core.errors import DataError, ModelError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.release import score_figures, store
from text_recognizer.release.git import Git, RegistryError
from text_recognizer.release.ledger import RegistryTag
from text_recognizer.release.score_figures import RawScore
from text_recognizer.utils.files import json_text, write_text

# Takes a model folder and the digest of the test pages; returns None if these pages are not at hand.
Rescore = Callable[[Path, str], RawScore | None]
logger = logging.getLogger(__name__)


def champion_score(git: Git, champion: RegistryTag, challenger: RawScore, rescore: Rescore | None) -> str | None:
    """Return the text of the champion's score: of the challenger's pages, if there is one or one can be made.

    Else it is the committed score, of other pages; None if that is missing, was changed, or is of another model. Raises
    RegistryError if the champion must be scored again and cannot be fetched.
    """
    committed = _committed(git, champion)
    data = score_figures.usable(score_figures.data, challenger)
    if not rescore or not data or (committed and json.loads(committed).get("data") == data):
        return committed
    return _scored_again(git, champion, data, rescore) or committed


def _committed(git: Git, champion: RegistryTag) -> str | None:
    try:
        text = git.show(champion.commit, LAYOUT.score)
        score = json.loads(text)
    except (RegistryError, ValueError):
        return None
    ours = isinstance(score, dict) and score.get("model") == champion.record.model
    return text if ours and score_figures.usable(score_figures.own_digest, score) else None


def _scored_again(git: Git, champion: RegistryTag, data: str, rescore: Rescore) -> str | None:
    """Return the text of the champion's score on pages of this digest, and keep it: the same pages come every night."""
    kept = git.folder / LAYOUT.champion_scores / f"{champion.record.model}-{data}.json"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="champion-") as scratch:
        model = Path(scratch) / "model"
        store.fetch_model(git, champion, model)
        try:
            score = rescore(model, data)
        except (DataError, ModelError) as problem:
            logger.warning("%s cannot be scored on the test pages of now: %s", champion.version, problem)
            return None
    if score is None:
        return None
    text = json_text(score)
    write_text(kept, text)
    return text
