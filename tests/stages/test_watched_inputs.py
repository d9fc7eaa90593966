"""The files that parameters name for the training are dependencies of the train stage, or are refused."""

from pathlib import Path

import pytest

from text_recognizer.core.errors import ConfigError
from text_recognizer.core.layout import Layout
from text_recognizer.stages.watched_inputs import require_watched

GRAPH = "stages: {train: {deps: [data/inputs, models/pretrained/weights.safetensors]}}\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    return Layout(tmp_path)


def naming(params, texts=(), init_from=None):
    language = params.language.model_copy(update={"texts": texts})
    return params.model_copy(
        update={"language": language, "train": params.train.model_copy(update={"init_from": init_from})}
    )


@pytest.mark.parametrize(
    ("texts", "init_from"),
    [((), None), (("data/inputs/more.txt",), "models/pretrained"), ((), "data/inputs/older-model")],
)
def test_a_file_below_a_dependency_is_accepted(params, project, texts, init_from):
    require_watched(naming(params, texts, init_from), project)


@pytest.mark.parametrize(
    ("texts", "init_from", "key"),
    [
        (("more.txt",), None, "language.texts"),
        (("data/inputs/a.txt", "data/inputs/../b.txt"), None, "language.texts"),
        ((), "models/other", "train.init_from"),
        ((str(Path("/elsewhere/more.txt")),), None, "language.texts"),
    ],
)
def test_a_file_elsewhere_is_refused_with_the_name_of_its_parameter(params, project, texts, init_from, key):
    with pytest.raises(ConfigError) as caught:
        require_watched(naming(params, texts, init_from), project)
    assert caught.value.what.startswith(f"{key} names ")
    assert "data/inputs" in caught.value.fix


def test_a_project_without_a_graph_is_not_checked(params, tmp_path):
    require_watched(naming(params, ("anywhere.txt",)), Layout(tmp_path))
