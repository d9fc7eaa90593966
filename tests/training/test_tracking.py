"""The W&B run of a training."""

import pytest

from text_recognizer.training.tracking import make_logger

pytestmark = pytest.mark.slow


def test_without_a_key_a_run_is_kept_on_disk(plan, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.chdir(tmp_path)
    logger = make_logger(plan.train.model_dump(mode="json"), "0123456789abcdef")
    logger.log_metrics({"train/loss": 1.0}, step=1)
    logger.experiment.finish()
    (run,) = tmp_path.glob("wandb/offline-run-*/run-0123456789abcdef.wandb")
    assert run.stat().st_size > 0


def test_a_disabled_run_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert make_logger({}, "0" * 16) is None
    assert list(tmp_path.iterdir()) == []
