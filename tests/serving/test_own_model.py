"""`serve --model` bundles the model that a person names, if it has a verdict that passed."""

import pytest

from text_recognizer.core.layout import Layout
from text_recognizer.release.verdict_file import NotReleasedError
from text_recognizer.serving.selection import bento_to_serve


def test_a_model_without_a_verdict_is_not_bundled_and_nothing_else_is_served_instead(exported, tmp_path):
    layout, said = Layout(tmp_path), []
    with pytest.raises(NotReleasedError):
        bento_to_serve(layout, said.append, exported)

    assert len(said) == 1
    assert not layout.own_bentos.exists()
