"""Telemetry is disabled unless the user enables it."""

import os

import pytest

from text_recognizer.utils import telemetry


@pytest.fixture
def environment(monkeypatch):
    """Remove the variables of telemetry from the environment until the test ends."""
    for name in (*telemetry.OPT_OUTS, "WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_the_telemetry_of_every_tool_is_disabled():
    telemetry.disable_telemetry()
    assert {name: os.environ[name] for name in telemetry.OPT_OUTS} == telemetry.OPT_OUTS
    assert os.environ["WANDB_MODE"] == "offline"


def test_variables_that_the_user_has_set_are_kept(environment):
    environment.setenv("GX_ANALYTICS_ENABLED", "true")
    environment.setenv("WANDB_MODE", "disabled")
    telemetry.disable_telemetry()
    assert os.environ["GX_ANALYTICS_ENABLED"] == "true"
    assert os.environ["WANDB_MODE"] == "disabled"


def test_a_key_of_weights_and_biases_leaves_it_online(environment):
    environment.setenv("WANDB_API_KEY", "a key")
    telemetry.disable_telemetry()
    assert "WANDB_MODE" not in os.environ
