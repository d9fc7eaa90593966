"""A training run: what it writes, what decides its id, and what it refuses."""

import csv
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from text_recognizer.core.errors import ConfigError, DataError, ModelError
from text_recognizer.inference.model_info import read_info
from text_recognizer.training import training_loop
from text_recognizer.training.fit import fit, run_digest, train


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def half(tensor):
    """A tensor as a model folder keeps it."""
    return tensor.half() if tensor.is_floating_point() else tensor


def digest(processed, plan):
    return run_digest(processed, plan.train, plan.preprocess)


def test_a_run_writes_a_model_and_a_row_per_epoch(finished, small_crops):
    info, curve = read_info(finished.files.model / "reader.json"), rows(finished.files.curves)
    assert info.canvas == (small_crops.canvas_height, small_crops.canvas_width)
    assert [row["step"] for row in curve] == ["2", "4", "6", "8"]
    best = min(curve, key=lambda row: float(row["validation/cer"]))
    assert finished.result.validation_cer == float(best["validation/cer"])
    assert finished.result.step == int(best["step"])


def test_a_run_does_not_touch_the_checkpoints_of_other_runs(finished):
    (left,) = finished.files.scratch.rglob("*.ckpt")
    assert left.read_bytes() == b"another run's"
    assert "resumes" not in finished.printed


def test_a_run_without_wandb_leaves_only_its_own_files(finished):
    names = {path.name for path in finished.files.model.parent.iterdir()}
    assert names == {"scratch", "curves.csv", "reader"}


@pytest.mark.slow
def test_the_weights_of_the_best_epoch_are_kept(change, processed, run_in, tmp_path, monkeypatch):
    after = {}

    class Recorder(training_loop.Progress):
        def on_validation_end(self, trainer, lit):
            state = lit.kept_model.state_dict()
            after[trainer.global_step] = {name: half(value.clone()) for name, value in state.items()}

    monkeypatch.setattr(training_loop, "Progress", Recorder)
    # Which seed is best before the end depends on the processor.
    runs = ((seed, fit(processed, change(seed=seed), tmp_path / str(seed))) for seed in range(1, 20))
    seed = next(seed for seed, lit in runs if lit.best["step"] < 8)
    run = run_in(change(seed=seed), tmp_path)
    kept = load_file(run.files.model / "weights.safetensors")
    same = [step for step, state in after.items() if all(torch.equal(kept[name], state[name]) for name in state)]
    assert same == [run.result.step]
    assert run.result.step < 8


@pytest.mark.slow
def test_a_reader_with_an_lstm_is_trained(change, processed, tmp_path):
    weights = fit(processed, change(lstm_hidden=8, steps=2, num_validations=1), tmp_path / "run").best["weights"]
    assert any("lstm" in name for name in weights)
    assert all(torch.isfinite(value).all() for value in weights.values())


def test_the_weights_have_the_names_of_the_network_and_not_those_of_its_average(finished):
    names = load_file(finished.files.model / "weights.safetensors").keys()
    assert {name.split(".")[0] for name in names} == {"encoder", "deeper", "context", "head"}


@pytest.mark.parametrize(
    ("steps", "validations", "expected"),
    [(7, 3, [2, 4, 6]), (2, 10, [1, 2])],
    ids=["a remainder is dropped", "fewer steps than validations"],
)
@pytest.mark.slow
def test_the_budget_is_cut_into_epochs_of_equal_length(change, processed, tmp_path, steps, validations, expected):
    lit = fit(processed, change(steps=steps, num_validations=validations), tmp_path / "run")
    assert [row["step"] for row in lit.curve] == expected


def test_a_missing_pack_is_refused_by_name(plan, files_in, tmp_path):
    with pytest.raises(DataError) as refused:
        train(plan, replace(files_in(tmp_path), processed=tmp_path))
    assert "train.npy" in refused.value.what
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_that_does_not_exist_is_refused(change, files_in, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError) as refused:
        train(change(accelerator="gpu"), files_in(tmp_path))
    assert "train.accelerator" in refused.value.what
    assert list(tmp_path.iterdir()) == []


# --- the id of a run


@pytest.mark.parametrize(
    "values",
    [
        {"seed": 7}, {"steps": 9}, {"learning_rate": 0.02}, {"channels": (4, 4, 8, 12)}, {"augment": 0.1},
        {"lstm_hidden": 8},
    ],
    ids=str,
)  # fmt: skip
def test_other_parameters_give_another_id(processed, plan, change, values):
    assert digest(processed, change(**values)) != digest(processed, plan)


def test_another_canvas_gives_another_id(processed, plan):
    other = replace(plan, preprocess=plan.preprocess.model_copy(update={"padding": 5}))
    assert digest(processed, other) != digest(processed, plan)


def test_other_data_give_another_id(processed, plan, tmp_path):
    other = shutil.copytree(processed, tmp_path / "other")
    labels = other / "train.jsonl"
    labels.write_text(labels.read_text(encoding="utf-8").replace("to be", "to bE"), encoding="utf-8")
    assert digest(other, plan) != digest(processed, plan)


def test_the_same_data_and_parameters_in_another_folder_give_the_same_id(processed, plan, tmp_path):
    other = shutil.copytree(processed, tmp_path / "other")
    assert digest(other, plan) == digest(processed, plan)


def test_other_initial_weights_give_another_id(processed, change, finished, tmp_path):
    first, other = finished.files.model, shutil.copytree(finished.files.model, tmp_path / "other")
    (other / "weights.safetensors").write_bytes(b"other")
    assert len({digest(processed, change(init_from=str(folder))) for folder in (first, other)}) == 2


# --- initial weights


def test_a_run_starts_from_the_weights_of_a_model_folder(finished, change, processed, tmp_path):
    # Given a trained model, another run starts from it and learns next to nothing
    plan = change(init_from=str(finished.files.model), learning_rate=1e-12, steps=1, num_validations=1, ema_decay=0.0)
    weights = fit(processed, plan, tmp_path / "run").best["weights"]
    # Then it ends with the weights of the first one
    first = load_file(finished.files.model / "weights.safetensors")
    learnt = [name for name in first if name.endswith(".weight")]
    assert learnt
    assert all(torch.equal(first[name], half(weights[name])) for name in learnt)


def test_initial_weights_of_another_shape_are_refused_by_parameter(finished, change, processed, tmp_path):
    plan = change(init_from=str(finished.files.model), channels=(4, 4, 8, 12))
    with pytest.raises(ModelError) as refused:
        fit(processed, plan, tmp_path / "run")
    assert "encoder.3.0.weight: (8, 8, 3, 3) in the file, (12, 8, 3, 3) in the model" in refused.value.what


def test_an_initial_model_without_weights_is_refused_by_name(change, files_in, tmp_path):
    with pytest.raises(ModelError) as refused:
        train(change(init_from=str(tmp_path / "nothing")), files_in(tmp_path))
    assert str(tmp_path / "nothing" / "weights.safetensors") in refused.value.what


# --- Weights & Biases


@pytest.mark.slow
def test_an_offline_run_is_left_on_disk_with_its_parameters(change, processed, read_record, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    fit(processed, change(steps=2, num_validations=1), tmp_path / "0123456789abcdef")
    (left,) = (tmp_path / "wandb").glob("offline-run-*")
    (record,) = left.glob("*.wandb")
    written = read_record(record, b"validation/cer")
    assert b"learning_rate" in written
    assert b"validation/cer" in written
