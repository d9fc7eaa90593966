"""Which Weights & Biases run a model belongs to, and when there is none."""

import pytest

from text_recognizer.utils.wandb_runs import RUN_FILE, load_run_id, open_run, save_run_id


def test_the_id_of_a_run_is_read_as_it_was_saved(tmp_path):
    save_run_id(tmp_path, "run-1")
    assert load_run_id(tmp_path) == "run-1"


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"run": 7}', '{"run": ""}'])
def test_a_model_without_a_valid_id_has_no_run(tmp_path, content):
    if content is not None:
        (tmp_path / RUN_FILE).write_text(content)
    assert load_run_id(tmp_path) is None


def test_there_is_no_run_if_wandb_is_disabled(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert open_run("run-1") is None
