"""Score the model in service on the test pages of now, if they are others than those of its own score."""

from pathlib import Path

from text_recognizer.core import config
from text_recognizer.core.layout import Layout
from text_recognizer.release.champion_scores import Rescore
from text_recognizer.release.score_figures import RawScore


def rescorer(project: Path) -> Rescore:
    """Return a function that scores a model folder on the packed test pages of a project.

    It returns None if the digest of these pages is not the one that it is given.
    """

    def score(model: Path, data: str) -> RawScore | None:
        from text_recognizer.corpora.packed_pages import PackedSplit
        from text_recognizer.evaluation.provenance import data_digest
        from text_recognizer.evaluation.split_score import SPLIT, score_split
        from text_recognizer.inference import Recognizer

        packed = PackedSplit.open(Layout(project).processed, SPLIT)
        if data_digest(packed) != data:
            return None
        # The comparison needs no figures of perturbed pages, which take most of the time.
        section = config.load(project / config.PARAMS_FILE).evaluate.model_copy(update={"robustness": 0})
        found, _ = score_split(Recognizer.load(model), packed, model, section)
        return found.model_dump(mode="json")

    return score
