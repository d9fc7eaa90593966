"""The description of a model folder, and what it does with models of earlier versions."""

import json

import pytest

from text_recognizer.core.errors import ModelError
from text_recognizer.core.layout import pretrained_model
from text_recognizer.inference.model_info import INFO_FILE, MIN_LM_SHARE, read_info

LANGUAGE = {"lm_weight": 1.0, "insertion_bonus": 1.2, "beam_width": 24, "sha256": "0" * 64}


@pytest.fixture
def describe(tmp_path):
    """Returns a function that reads the pretrained reader's description with another language model."""
    content = json.loads((pretrained_model() / INFO_FILE).read_text(encoding="utf-8"))

    def read(**language):
        path = tmp_path / INFO_FILE
        path.write_text(json.dumps(content | {"language": LANGUAGE | language}), encoding="utf-8")
        return read_info(path)

    return read


def test_a_model_that_does_not_say_its_least_share_has_the_default(describe):
    assert describe().language.min_lm_share == MIN_LM_SHARE
    assert describe(min_lm_share=0.5).language.min_lm_share == 0.5


def test_the_default_changes_no_digest_and_another_value_does(describe):
    assert describe().model_dump()["language"] == LANGUAGE
    assert describe(min_lm_share=MIN_LM_SHARE).digest == describe().digest
    assert describe(min_lm_share=0.5).digest != describe().digest
    assert describe(min_lm_share=0.5).model_dump()["language"] == LANGUAGE | {"min_lm_share": 0.5}


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_0_to_1_is_refused(describe, share):
    with pytest.raises(ModelError):
        describe(min_lm_share=share)
