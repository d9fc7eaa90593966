"""A tiny packed corpus of print, and the parameters of a run that is over in seconds."""

import pytest

from text_recognizer.config import TrainSection

TRAIN = [("to be", "or not"), ("a sea",), ("of ink", "pens"), ("the cat",), ("sat on", "a mat"), ("and so",)]
VALIDATION = [("to sea",), ("a pen", "or not")]


@pytest.fixture(scope="session")
def processed(printed_split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("processed")
    printed_split(TRAIN).save(folder, "train")
    printed_split(VALIDATION).save(folder, "validation")
    return folder


@pytest.fixture(scope="session")
def section(shipped) -> TrainSection:
    """Four rounds of two steps, with all that draws at random or is carried from step to step."""
    small = {
        "channels": (4, 4, 8, 8), "dropout": 0.2, "steps": 8, "validations": 4, "batch_size": 2, "augment": 0.5,
        "accelerator": "cpu", "precision": "32", "threads": 1, "learning_rate": 0.01,
        "elastic": 0.01, "recombined": (0.3, 0.7), "average": 0.9,
    }  # fmt: skip
    return TrainSection(**shipped.train.model_dump() | small)


@pytest.fixture(scope="session")
def language(shipped):
    return shipped.language.model_copy(update={"order": 3})


@pytest.fixture(autouse=True)
def untracked(monkeypatch):
    """No test makes a run for Weights & Biases unless it says so."""
    monkeypatch.setenv("WANDB_MODE", "disabled")
