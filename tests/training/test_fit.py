"""One run: what it writes, what it answers to, and what it leaves to no one but itself."""

import csv
import shutil

import pytest
import torch
from safetensors.torch import load_file

from text_recognizer.errors import DataError, ModelError
from text_recognizer.inference.info import read_info
from text_recognizer.training import launch, train
from text_recognizer.training.fit import run_digest


@pytest.fixture
def run(processed, section, small_crops, language, tmp_path):
    """Runs a training with some parameters changed; its work goes to tmp_path."""

    def go(**changes):
        changed = section.model_copy(update=changes)
        return train(
            processed, changed, small_crops, language, tmp_path / "reader", tmp_path / "curves.csv", tmp_path / "cache"
        )

    return go


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_run_writes_a_model_and_a_row_a_round(run, tmp_path, small_crops):
    best = run()
    info = read_info(tmp_path / "reader" / "reader.json")
    curve = rows(tmp_path / "curves.csv")
    assert info.canvas == (small_crops.canvas_height, small_crops.canvas_width)
    assert [row["step"] for row in curve] == ["2", "4", "6", "8"]
    assert best["validation/cer"] == min(float(row["validation/cer"]) for row in curve)


def rounded(tensor):
    """As a model folder keeps it."""
    return tensor.half() if tensor.is_floating_point() else tensor


def test_the_weights_kept_are_those_of_the_best_round(run, tmp_path, monkeypatch):
    after = {}

    class Watching(launch.Progress):
        def on_validation_end(self, trainer, lit):
            after[trainer.global_step] = {name: value.clone() for name, value in lit.reader.state_dict().items()}

    monkeypatch.setattr(launch, "Progress", Watching)
    # On which processor which seed is at its best before the end cannot be known.
    best = next(best for best in (run(seed=seed) for seed in range(1, 20)) if best["step"] < 8)
    kept = load_file(tmp_path / "reader" / "weights.safetensors")
    half = {step: {name: rounded(value) for name, value in state.items()} for step, state in after.items()}
    same = [step for step, state in half.items() if all(torch.equal(kept[name], state[name]) for name in state)]
    assert same == [best["step"]]


def test_a_reader_with_an_lstm_is_trained_and_exported(run, tmp_path):
    run(recurrent=8, steps=2, validations=1)
    names = load_file(tmp_path / "reader" / "weights.safetensors").keys()
    assert any("lstm" in name for name in names)
    assert not any(name.startswith(("average", "module")) for name in names)


def test_a_budget_that_the_rounds_do_not_divide_loses_less_than_a_round(run, tmp_path):
    run(steps=7, validations=3)
    assert [row["step"] for row in rows(tmp_path / "curves.csv")] == ["2", "4", "6"]


def test_a_budget_of_fewer_steps_than_rounds_validates_after_every_step(run, tmp_path):
    run(steps=2, validations=10)
    assert [row["step"] for row in rows(tmp_path / "curves.csv")] == ["1", "2"]


@pytest.mark.parametrize(
    "changes",
    [{"seed": 7}, {"learning_rate": 0.02}, {"channels": (4, 4, 8, 12)}, {"augment": 0.1}, {"recurrent": 8}],
    ids=str,
)
def test_other_parameters_name_another_run(processed, section, small_crops, changes):
    own = run_digest(processed, section, small_crops)
    assert run_digest(processed, section.model_copy(update=changes), small_crops) != own


def test_another_canvas_names_another_run(processed, section, small_crops):
    other = small_crops.model_copy(update={"padding": 5})
    assert run_digest(processed, section, other) != run_digest(processed, section, small_crops)


def test_other_data_name_another_run(processed, section, small_crops, tmp_path):
    other = shutil.copytree(processed, tmp_path / "other")
    labels = other / "train.jsonl"
    labels.write_text(labels.read_text(encoding="utf-8").replace("to be", "to bE"), encoding="utf-8")
    assert run_digest(other, section, small_crops) != run_digest(processed, section, small_crops)


def test_the_same_data_and_parameters_in_another_place_name_the_same_run(processed, section, small_crops, tmp_path):
    other = shutil.copytree(processed, tmp_path / "other")
    assert run_digest(other, section, small_crops) == run_digest(processed, section, small_crops)


def test_a_run_leaves_the_checkpoints_of_others(run, tmp_path, capsys):
    other = tmp_path / "cache" / "train" / "0123456789abcdef" / "last.ckpt"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"another run's")
    run(steps=1, validations=1)
    assert list((tmp_path / "cache" / "train").rglob("*.ckpt")) == [other]
    assert "goes on" not in capsys.readouterr().out


def test_a_pack_that_is_missing_is_refused_by_name(section, small_crops, language, tmp_path):
    with pytest.raises(DataError, match=r"train\.npy does not exist"):
        train(
            tmp_path, section, small_crops, language, tmp_path / "reader", tmp_path / "curves.csv", tmp_path / "cache"
        )


# --- Weights & Biases


def test_offline_a_run_is_left_on_disk_with_its_parameters(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run(steps=2, validations=1)
    (left,) = (tmp_path / "wandb").glob("offline-run-*")
    (record,) = left.glob("*.wandb")
    written = record.read_bytes()
    assert b"learning_rate" in written
    assert b"validation/cer" in written


def test_disabled_there_is_no_run_on_disk(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run(steps=1, validations=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "curves.csv", "reader"]


def test_a_run_goes_on_from_the_weights_of_a_model_folder(run, tmp_path):
    # Given a trained model
    run()
    (tmp_path / "reader").rename(tmp_path / "first")
    # When another run starts from it, and learns next to nothing
    run(start=str(tmp_path / "first"), learning_rate=1e-12, steps=1, validations=1, average=0.0)
    # Then it ends where the first one did
    first, second = (load_file(tmp_path / name / "weights.safetensors") for name in ("first", "reader"))
    learnt = [name for name in first if name.endswith(".weight")]
    assert learnt
    assert all(torch.equal(first[name], second[name]) for name in learnt)


def test_weights_of_another_shape_are_refused_with_what_does_not_fit(run, tmp_path):
    run()
    (tmp_path / "reader").rename(tmp_path / "first")
    with pytest.raises(ModelError, match=r"does not fit: .*context\.0\.mix\.weight is \[8, 8, 5\] there and \[12, 12"):
        run(start=str(tmp_path / "first"), channels=(4, 4, 8, 12))


def test_a_start_without_weights_is_refused_by_its_name(run, tmp_path):
    with pytest.raises(ModelError, match=r"nothing/weights\.safetensors does not exist"):
        run(start=str(tmp_path / "nothing"))


def test_other_weights_to_start_from_name_another_run(processed, section, small_crops, exported, tmp_path):
    shutil.copytree(exported, tmp_path / "other")
    (tmp_path / "other" / "weights.safetensors").write_bytes(b"other")
    starts = [section.model_copy(update={"start": str(folder)}) for folder in (exported, tmp_path / "other")]
    assert len({run_digest(processed, start, small_crops) for start in starts}) == 2
