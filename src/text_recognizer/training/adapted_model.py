"""Write an adapted reader as a model folder: network, language model, verdict and card."""

import re
import shutil
from pathlib import Path

import numpy as np

from text_recognizer.core.metrics import error_rate
from text_recognizer.core.schemas import PassedVerdict, RuleResult
from text_recognizer.inference.model_info import INFO_FILE, LANGUAGE_FILE, ModelInfo, crops_of
from text_recognizer.pages.strip_batches import foreground_of, to_batch
from text_recognizer.pages.strips import at_resolution
from text_recognizer.preprocess.line_canvases import LabelledStrip, from_png
from text_recognizer.training.adaptation import LEVEL, Adaptation
from text_recognizer.training.export import export
from text_recognizer.utils.files import replace_atomically, write_json, write_text

CARD_FILE, VERDICT_FILE = "MODEL_CARD.md", "verdict.json"
EXAMPLES = 60  # strips
TERMS = re.compile(r"^## Licence\n+(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
TRAINED_ON = re.compile(r"^Trained on: .*$", re.MULTILINE)


def write_adapted(adaptation: Adaptation, folder: Path, name: str, source: str) -> ModelInfo:
    """Write the model folder completely or not at all. `source` says where the pages came from.

    The language model and the calibration stay those of the reader that was adapted.
    """
    start = adaptation.start
    with replace_atomically(folder) as draft:
        network, crops = start.network(adaptation.weights), crops_of(start.info)
        some = adaptation.strips[:: -(-len(adaptation.strips) // EXAMPLES)]
        exported = export(network, crops, draft, examples=[_example(strip, crops.dpi) for strip in some])
        kept = {key: getattr(start.info, key) for key in ("language", "temperature", "exponent")}
        info = exported.model_copy(update=kept)
        if info.language:
            shutil.copyfile(start.folder / LANGUAGE_FILE, draft / LANGUAGE_FILE)
        write_json(draft / INFO_FILE, info.model_dump())
        write_json(draft / VERDICT_FILE, _verdict(adaptation, info).model_dump(mode="json"))
        write_text(draft / CARD_FILE, card(adaptation, info, name, source))
    return info


def _example(strip: LabelledStrip, dpi: int) -> np.ndarray:
    """Return a strip, float32 (1, 1, H, W) with 1 on ink, to measure the ranges of the network on."""
    return to_batch([foreground_of(at_resolution(from_png(strip.png), dpi))], step=1)


def _verdict(adaptation: Adaptation, info: ModelInfo) -> PassedVerdict:
    """Return the verdict that lets the model be served: it reads the pages better than the reader before."""
    difference = adaptation.difference
    rule = RuleResult(
        name="adapted",
        passed=difference.high < 0,
        reason=f"the CER changes by {difference.value:.4f}, at most {difference.high:.4f} with {LEVEL:.0%} confidence",
        limit=0.0,
        value=difference.high,
    )
    return PassedVerdict(
        passed=rule.passed,
        rules=(rule,),
        basis=f"{len(adaptation.pages)} pages of one hand, each read by a reader that was not trained on it",
        model=info.digest,
        cer=error_rate(adaptation.after),
        cer_interval=adaptation.intervals[1],
        pages=len(adaptation.pages),
    )


def card(adaptation: Adaptation, info: ModelInfo, name: str, source: str) -> str:
    """Return the model card in Markdown: what the model is, its data and their terms, and its figures."""
    base = _base_card(adaptation.start.folder)
    trained, terms = TRAINED_ON.search(base), TERMS.search(base)
    before, after = (
        f"{error_rate(rows):.2%} | {low:.2%} to {high:.2%}"
        for rows, (low, high) in zip((adaptation.before, adaptation.after), adaptation.intervals, strict=True)
    )
    return f"""# {name}: a reader adapted to one hand

`{info.model_class}`, digest `{info.digest}`. It is the reader `{adaptation.start.info.digest}`, trained on with
{len(adaptation.strips)} lines of {len(adaptation.pages)} pages of {source} by `text-recognizer adapt`. Its language
model is that reader's. It is made for pages of this hand, and may read others worse.

## Accuracy

Each of the {len(adaptation.pages)} pages was read by a reader that was trained on other pages of them; the model is the
mean of these readers. Only lines that were found with their text count. The intervals have a level of {LEVEL:.0%} and
are over pages.

| reader | CER | interval |
| --- | --- | --- |
| before | {before} |
| after | {after} |

Cross-validation chose weights that are {adaptation.share:.0%} of the way to those after epoch {adaptation.epoch + 1}.

## Data and terms

The pages of {source} and their texts have the terms that you have them under; the weights hold what was learnt from
them. The reader that was adapted has this card:

{trained[0] if trained else "Its card does not say what it was trained on."}

{terms[1].strip() if terms else "Its card names no terms."}
"""


def _base_card(folder: Path) -> str:
    path = folder / CARD_FILE
    return path.read_text(encoding="utf-8") if path.exists() else ""
