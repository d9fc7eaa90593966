"""Choose which bento `text-recognizer serve` serves."""

import logging
from collections.abc import Callable
from pathlib import Path

from text_recognizer.core.layout import Layout, pretrained_model
from text_recognizer.serving.bento import bundle

logger = logging.getLogger(__name__)


def bento_to_serve(layout: Layout, report: Callable[[str], None] = logger.info, model: Path | None = None) -> Path:
    """Return the bento of `model`; else of the model in service; of the last accepted run; of the pretrained reader.

    Only the last accepted run has one already; the others are built, and `report` gets a message before that. Raises
    TextRecognizerError if that fails.
    """
    if model:
        where = layout.own_bentos / model.resolve().name
        report(f"serve: bundling {model} in {where}")
        bundle(model, model / layout.verdict.name, where)
        return where
    if layout.champion.exists():
        report(f"serve: bundling the model in service in {layout.champion_bento}")
        bundle(layout.champion, layout.champion / layout.verdict.name, layout.champion_bento)
        return layout.champion_bento
    pretrained = pretrained_model()
    if not (layout.bento / "bento.yaml").is_file() and pretrained.exists():
        where = layout.pretrained_bento
        report(f"serve: no model was trained and accepted here yet; bundling the pretrained reader in {where}")
        bundle(pretrained, pretrained / "verdict.json", where)
        return where
    return layout.bento
