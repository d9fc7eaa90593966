"""A training's run for Weights & Biases, and what names a run."""

import pytest

from text_recognizer.errors import ConfigError, DataError
from text_recognizer.training import train
from text_recognizer.training.fit import run_digest
from text_recognizer.training.tracking import tracker


def test_without_a_key_a_run_is_kept_on_disk(section, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.chdir(tmp_path)
    logger = tracker(section.model_dump(mode="json"), "0123456789abcdef")
    logger.log_metrics({"train/loss": 1.0}, step=1)
    logger.experiment.finish()
    (run,) = tmp_path.glob("wandb/offline-run-*/run-0123456789abcdef.wandb")
    assert run.stat().st_size > 0


def test_a_disabled_run_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tracker({}, "0" * 16) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", [{"seed": 2}, {"steps": 9}, {"augment": 0.1}])
def test_other_parameters_name_another_run(processed, section, small_crops, change):
    other = section.model_copy(update=change)
    assert run_digest(processed, other, small_crops) != run_digest(processed, section, small_crops)


def test_other_data_name_another_run(processed, printed_split, section, small_crops, tmp_path):
    for split in ("train", "validation"):
        printed_split([("to bee",), ("or not",)]).save(tmp_path, split)
    assert run_digest(tmp_path, section, small_crops) != run_digest(processed, section, small_crops)


def test_a_missing_pack_is_named(section, small_crops, language, tmp_path):
    with pytest.raises(DataError, match="train"):
        train(tmp_path, section, small_crops, language, tmp_path / "m", tmp_path / "c.csv", tmp_path / "s")


def test_a_gpu_that_is_not_there_is_refused(processed, section, small_crops, language, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    wanted = section.model_copy(update={"accelerator": "gpu"})
    with pytest.raises(ConfigError, match=r"train\.accelerator"):
        train(processed, wanted, small_crops, language, tmp_path / "m", tmp_path / "c.csv", tmp_path / "s")
    assert list(tmp_path.iterdir()) == []
