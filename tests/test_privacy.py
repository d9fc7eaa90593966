"""That nothing phones home, unless its user says so."""

import os

import pytest

from text_recognizer import privacy


@pytest.fixture
def environment(monkeypatch):
    """An environment that says nothing about telemetry, put back afterwards."""
    for name in (*privacy.SILENT, "WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_every_tool_is_silenced():
    privacy.silence()
    assert {name: os.environ[name] for name in privacy.SILENT} == privacy.SILENT
    assert os.environ["WANDB_MODE"] == "offline"


def test_what_the_user_set_stays(environment):
    environment.setenv("GX_ANALYTICS_ENABLED", "true")
    environment.setenv("WANDB_MODE", "disabled")
    privacy.silence()
    assert os.environ["GX_ANALYTICS_ENABLED"] == "true"
    assert os.environ["WANDB_MODE"] == "disabled"


def test_a_key_for_weights_and_biases_leaves_it_online(environment):
    environment.setenv("WANDB_API_KEY", "a key")
    privacy.silence()
    assert "WANDB_MODE" not in os.environ
