"""One experiment of the lab: `run_experiment --data_class ... --model_class ... --loss ...`.

Makes a folder with its checkpoints, `curve.csv` and `report.html`, trains, and ends with the figures on the test split.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from text_recognizer import privacy
from text_recognizer.errors import ConfigError, ModelError, TextRecognizerError

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from text_recognizer.lit_models import BaseLitModel
    from text_recognizer.training.callbacks import Curve

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one experiment; exits with 0, with 1 and a plain message on a problem, or with 130 on Ctrl-C."""
    privacy.silence()
    try:
        experiment(sys.argv[1:] if arguments is None else arguments)
    except (TextRecognizerError, OSError) as error:
        print(f"run_experiment: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt as stopped:
        how = f"; to go on: run_experiment --resume {stopped.args[0]}" if stopped.args else ""
        print(f"run_experiment: interrupted{how}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(0)


def experiment(arguments: Sequence[str]) -> dict[str, float]:
    """Trains and tests; returns the last figures of training and validation, and those of the test."""
    # Seconds of imports: what is wrong with a plain command line is said before them.
    import pytorch_lightning as pl

    from text_recognizer.training import launch, runs
    from text_recognizer.training.arguments import parse

    arguments, folder = _resumed(list(arguments))
    args, classes = parse(arguments)
    pl.seed_everything(args.seed, workers=True, verbose=False)
    data = classes.data.from_args(args)
    data.prepare_data()
    data.setup()
    if args.overfit_batches:
        data.augment = 0.0
        data.val_dataloader = data.train_dataloader
    digest = runs.data_digest(data)
    if folder is None:
        folder = runs.new_folder(args.log_dir)
        if not runs.follows():
            runs.save(folder, arguments, digest)
    else:
        runs.check_data(folder, digest)
    lit = classes.lit(classes.model(data.config(), args), args)
    if args.load_checkpoint:
        load_weights(lit, args.load_checkpoint)
    trainer, curve = _trainer(args, folder)
    if args.auto_lr_find and not (folder / launch.CHECKPOINT).exists():
        _find_rate(args, lit, data, folder)
    with runs.told(folder):
        launch.fit(trainer, lit, data, folder)
    return _finish(args, trainer, curve, lit, data)


def _resumed(arguments: list[str]) -> tuple[list[str], Path | None]:
    """With `--resume FOLDER`, the arguments of the run there and that folder. ConfigError where others are given."""
    from text_recognizer.training import runs
    from text_recognizer.training.arguments import parse

    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--resume", type=Path)
    folder = early.parse_known_args(arguments)[0].resume
    if folder is None:
        return arguments, None
    before = runs.saved_arguments(folder)
    runs.check_same(folder, parse(before)[0], parse([*before, *arguments])[0])
    return [*before, *arguments], folder


def load_weights(lit: "BaseLitModel", path: Path) -> None:
    """The weights of a checkpoint, this project's or the lab's, or of a state_dict. ModelError where they don't fit."""
    import pickle

    import torch

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}", "name a checkpoint") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError):
        raise ModelError(
            f"{path} is no checkpoint, or holds more than weights", "name a file that torch wrote"
        ) from None
    state: dict[str, Any] = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    inner = {name.removeprefix("model."): value for name, value in state.items() if name.startswith("model.")}
    lit.model.load_state_dict(inner or state)
    if lit.average:
        lit.average.module.load_state_dict(lit.model.state_dict())


def _trainer(args: argparse.Namespace, folder: Path) -> tuple["pl.Trainer", "Curve"]:
    from pytorch_lightning.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint

    from text_recognizer.training import launch, runs
    from text_recognizer.training.arguments import devices, precision
    from text_recognizer.training.callbacks import Curve
    from text_recognizer.training.tracking import Tracked, tracker

    where = devices(args)
    bits, warning = precision(args, where["accelerator"])
    if warning:
        print(f"run_experiment: warning: {warning}", file=sys.stderr)
    shown = {name: str(value) for name, value in vars(args).items()}
    curve = Curve(folder, f"{args.model_class} on {args.data_class}", shown)
    kept: dict[str, Any] = {
        "every_n_epochs": args.check_val_every_n_epoch,
        "save_on_train_epoch_end": True,
        "enable_version_counter": False,
    }
    callbacks: list[pl.Callback] = [curve, ModelCheckpoint(folder, Path(launch.CHECKPOINT).stem, **kept)]
    if args.limit_val_batches:
        measure = "validation/cer" if args.loss in ("transformer", "ctc") else "validation/loss"
        callbacks.append(ModelCheckpoint(folder, "best", monitor=measure, **kept))
        if args.stop_early:
            callbacks.append(EarlyStopping("validation/loss", patience=args.stop_early))
    logger = tracker(shown, f"{folder.name}-{os.getpid()}") if args.wandb and not runs.follows() else None
    if logger:
        callbacks += [LearningRateMonitor("step"), Tracked()]
    settings = {name: getattr(args, name) for name in PASSED}
    trainer = launch.make_trainer(
        callbacks,
        logger,
        **settings,
        **where,
        precision=bits,
        profiler=_profiler(args, folder),
        default_root_dir=folder,
    )
    return trainer, curve


PASSED = (
    "max_epochs", "max_steps", "num_nodes", "strategy", "limit_train_batches", "limit_val_batches",
    "limit_test_batches", "overfit_batches", "check_val_every_n_epoch", "accumulate_grad_batches",
    "gradient_clip_val", "log_every_n_steps", "fast_dev_run",
)  # fmt: skip


def _profiler(args: argparse.Namespace, folder: Path) -> Any:  # noqa: ANN401
    if not args.profile:
        return None
    from pytorch_lightning.profilers import PyTorchProfiler

    return PyTorchProfiler(dirpath=folder, filename="profile", export_to_chrome=True)


def _find_rate(args: argparse.Namespace, lit: "BaseLitModel", data: "pl.LightningDataModule", folder: Path) -> None:
    """Sets the learning rate to a tenth of where the loss is lowest while the rate is raised (Smith 2017).

    The steepest fall, which Lightning suggests, is in the noise of its first batches where these are small.
    """
    from pytorch_lightning.tuner import Tuner

    from text_recognizer.training import launch
    from text_recognizer.training.arguments import devices, precision

    where = devices(args) | {"devices": 1}  # each of several processes finds the same
    bits, _ = precision(args, where["accelerator"])
    same = {name: getattr(args, name) for name in ("accumulate_grad_batches", "gradient_clip_val", "overfit_batches")}
    budget = {"max_epochs": -1, "max_steps": FINDER_STEPS}
    trial = launch.make_trainer([], None, **where, **same, **budget, precision=bits, default_root_dir=folder)
    found = Tuner(trial).lr_find(lit, datamodule=data, num_training=FINDER_STEPS)
    rate = launch.rate_of(found.results["lr"], found.results["loss"]) if found else None
    if rate is None:
        raise ConfigError("--auto_lr_find found no rate at which the loss falls", "give --lr instead")
    lit.lr = rate
    print(f"run_experiment: learning rate {rate:.3g}")


FINDER_STEPS = 100


def _finish(
    args: argparse.Namespace,
    trainer: "pl.Trainer",
    curve: "Curve",
    lit: "BaseLitModel",
    data: "pl.LightningDataModule",
) -> dict[str, float]:
    """Tests the best weights, completes the report, says where everything is."""
    figures = {name: value for name, value in (curve.rows[-1] if curve.rows else {}).items() if "/" in name}
    watched = [callback for callback in trainer.checkpoint_callbacks if getattr(callback, "monitor", None)]
    best = getattr(watched[0], "best_model_path", "") if watched else ""
    if args.limit_test_batches and not args.overfit_batches:
        at = {"ckpt_path": best, "weights_only": False} if best else {}
        rows = curve.rows
        tested = trainer.test(lit, data, verbose=False, **at)[0]  # type: ignore[arg-type]
        curve.rows = rows  # with the best weights came the rows up to them
        figures |= {name: float(value) for name, value in tested.items()}
    if not trainer.is_global_zero:
        return figures
    if not args.fast_dev_run:
        curve.write({name: value for name, value in figures.items() if name.startswith("test/")})
    for name, value in sorted(figures.items()):
        print(f"{name}: {value:.4f}")
    if best:
        print(f"best model: {best}")
    print(f"report: {curve.folder / 'report.html'}")
    if args.wandb and trainer.logger:
        trainer.logger.experiment.finish()  # type: ignore[attr-defined]
    return figures


if __name__ == "__main__":
    main()
