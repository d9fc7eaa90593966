"""Choose which bento `text-recognizer serve` serves."""

import logging
from collections.abc import Callable
from pathlib import Path

from text_recognizer.core.layout import Layout, pretrained_model
from text_recognizer.serving.bento import bundle

logger = logging.getLogger(__name__)


def bento_to_serve(layout: Layout, report: Callable[[str], None] = logger.info) -> Path:
    """Return the bento of the model in service; else of the last accepted run; else of the pretrained reader.

    The bentos of the first and the last are built on demand; `report` gets a message before that. Raises
    TextRecognizerError if that fails.
    """
    if layout.champion.exists():
        report(f"serve: bundling the model in service in {layout.champion_bento}")
        bundle(layout.champion, layout.champion / layout.verdict.name, layout.champion_bento)
        return layout.champion_bento
    pretrained = pretrained_model()
    if not layout.bento.exists() and pretrained.exists():
        where = layout.pretrained_bento
        report(f"serve: no model was trained and accepted here yet; bundling the pretrained reader in {where}")
        bundle(pretrained, pretrained / "verdict.json", where)
        return where
    return layout.bento
