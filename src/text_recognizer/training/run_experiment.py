"""One experiment of the lab: `run_experiment --data_class ... --model_class ... --loss ...`.

Make a folder with its checkpoints, `curve.csv` and `report.html`, train, and end with the metrics of the test split.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from text_recognizer.core.errors import INTERRUPTED, ConfigError, TextRecognizerError
from text_recognizer.utils import telemetry

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from text_recognizer.data import BaseDataModule
    from text_recognizer.lit_models import ExperimentLitModel
    from text_recognizer.training.callbacks import Curve

FINDER_STEPS = 100
WEIGHTS_FIX = "name a checkpoint of this class, made with the same arguments and the same charset"
# Arguments that Lightning's Trainer takes under the same name.
TRAINER_ARGUMENTS = (
    "max_epochs", "max_steps", "num_nodes", "strategy", "limit_train_batches", "limit_val_batches",
    "limit_test_batches", "overfit_batches", "check_val_every_n_epoch", "accumulate_grad_batches",
    "gradient_clip_val", "log_every_n_steps", "fast_dev_run",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one experiment; exit with 0, with the error's exit status and a plain message, or with 130 on Ctrl-C."""
    telemetry.disable_telemetry()
    try:
        experiment(sys.argv[1:] if arguments is None else arguments)
    except TextRecognizerError as error:
        print(f"run_experiment: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    except OSError as error:
        print(f"run_experiment: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt as stopped:
        how = f"; to resume: run_experiment --resume {stopped.args[0]}" if stopped.args else ""
        print(f"run_experiment: interrupted{how}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(0)


def experiment(arguments: Sequence[str]) -> dict[str, float]:
    """Train and test; return the last metrics of training and validation, and those of the test."""
    # The imports take seconds: errors in a plain command line are reported before them.
    import pytorch_lightning as pl

    from text_recognizer.training import run_folders, training_loop
    from text_recognizer.training.arguments import parse
    from text_recognizer.training.weights import load_weights

    arguments, folder = _resumed(list(arguments))
    args, classes = parse(arguments)
    pl.seed_everything(args.seed, workers=True, verbose=False)
    data = _prepared(classes.data.from_args(args), args)
    folder = _run_folder(folder, args, arguments, data)
    lit = classes.lit(classes.model(data.config(), args), args)
    if args.load_checkpoint:
        load_weights(lit.model, args.load_checkpoint, WEIGHTS_FIX)
        if lit.ema:
            lit.ema.module.load_state_dict(lit.model.state_dict())
    trainer, curve = _trainer(args, folder)
    if args.auto_lr_find and not (folder / run_folders.CHECKPOINT).exists():
        _find_rate(args, lit, data, folder)
    with run_folders.announced(folder):
        training_loop.fit(trainer, lit, data, folder)
    return _finish(args, trainer, curve, lit, data)


def _resumed(arguments: list[str]) -> tuple[list[str], Path | None]:
    """With `--resume FOLDER`, return all arguments of that run and the folder. Raises ConfigError if others differ."""
    from text_recognizer.training import run_folders
    from text_recognizer.training.arguments import parse

    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--resume", type=Path)
    folder = early.parse_known_args(arguments)[0].resume
    if folder is None:
        return arguments, None
    before = run_folders.saved_arguments(folder)
    run_folders.check_arguments(folder, parse(before)[0], parse([*before, *arguments])[0])
    return [*before, *arguments], folder


def _prepared(data: "BaseDataModule", args: argparse.Namespace) -> "BaseDataModule":
    """Open the data; with `--overfit_batches`, train and validate on the same batches, unaugmented."""
    data.prepare_data()
    data.setup()
    if args.overfit_batches:
        data.augment = 0.0
        data.val_dataloader = data.train_dataloader  # type: ignore[method-assign]
    return data


def _run_folder(
    folder: Path | None, args: argparse.Namespace, arguments: Sequence[str], data: "BaseDataModule"
) -> Path:
    """Return the folder of a new run, or that of the resumed run after a check of its data."""
    from text_recognizer.training import run_folders

    digest = run_folders.data_digest(data)
    if folder is not None:
        run_folders.check_data(folder, digest)
        return folder
    folder = run_folders.new_folder(args.log_dir)
    if not run_folders.is_follower():
        run_folders.save(folder, arguments, digest)
    return folder


def _trainer(args: argparse.Namespace, folder: Path) -> tuple["pl.Trainer", "Curve"]:
    from pytorch_lightning.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint

    from text_recognizer.training import run_folders, training_loop
    from text_recognizer.training.arguments import devices, precision
    from text_recognizer.training.callbacks import Curve
    from text_recognizer.training.tracking import RunDetails, make_logger

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
    callbacks: list[pl.Callback] = [curve, ModelCheckpoint(folder, Path(run_folders.CHECKPOINT).stem, **kept)]
    if args.limit_val_batches:
        metric = "validation/cer" if args.loss in ("transformer", "ctc") else "validation/loss"
        callbacks.append(ModelCheckpoint(folder, "best", monitor=metric, **kept))
        if args.stop_early:
            callbacks.append(EarlyStopping("validation/loss", patience=args.stop_early))
    logged = args.wandb and not run_folders.is_follower()
    logger = make_logger(shown, f"{folder.name}-{os.getpid()}") if logged else None
    if logger:
        callbacks += [LearningRateMonitor("step"), RunDetails()]
    settings = {name: getattr(args, name) for name in TRAINER_ARGUMENTS}
    trainer = training_loop.make_trainer(
        callbacks,
        logger,
        **settings,
        **where,
        precision=bits,
        profiler=_profiler(args, folder),
        default_root_dir=folder,
    )
    return trainer, curve


def _profiler(args: argparse.Namespace, folder: Path) -> Any:  # noqa: ANN401
    if not args.profile:
        return None
    from pytorch_lightning.profilers import PyTorchProfiler

    return PyTorchProfiler(dirpath=folder, filename="profile", export_to_chrome=True)


def _find_rate(args: argparse.Namespace, lit: "ExperimentLitModel", data: "BaseDataModule", folder: Path) -> None:
    """Set the learning rate to a tenth of the rate at which the loss is lowest while the rate rises (Smith 2017).

    Lightning suggests the steepest fall instead, which is in the noise of its first batches if these are small.
    """
    from pytorch_lightning.tuner import Tuner

    from text_recognizer.training import training_loop
    from text_recognizer.training.arguments import devices, precision

    where = devices(args) | {"devices": 1}  # each of several processes finds the same rate
    bits, _ = precision(args, where["accelerator"])
    same = {name: getattr(args, name) for name in ("accumulate_grad_batches", "gradient_clip_val", "overfit_batches")}
    budget = {"max_epochs": -1, "max_steps": FINDER_STEPS}
    trial = training_loop.make_trainer([], None, **where, **same, **budget, precision=bits, default_root_dir=folder)
    found = Tuner(trial).lr_find(lit, datamodule=data, num_training=FINDER_STEPS)
    rate = training_loop.choose_rate(found.results["lr"], found.results["loss"]) if found else None
    if rate is None:
        raise ConfigError("--auto_lr_find found no rate at which the loss falls", "give --lr instead")
    lit.lr = rate
    print(f"run_experiment: learning rate {rate:.3g}")


def _finish(
    args: argparse.Namespace,
    trainer: "pl.Trainer",
    curve: "Curve",
    lit: "ExperimentLitModel",
    data: "BaseDataModule",
) -> dict[str, float]:
    """Test the best weights, complete the report, and print the metrics and where everything is."""
    metrics = {name: value for name, value in (curve.rows[-1] if curve.rows else {}).items() if "/" in name}
    watched = [callback for callback in trainer.checkpoint_callbacks if getattr(callback, "monitor", None)]
    best = getattr(watched[0], "best_model_path", "") if watched else ""
    if args.limit_test_batches and not args.overfit_batches:
        at = {"ckpt_path": best, "weights_only": False} if best else {}
        rows = curve.rows
        tested = trainer.test(lit, data, verbose=False, **at)[0]
        curve.rows = rows  # the best checkpoint restored only the rows up to its own epoch
        metrics |= {name: float(value) for name, value in tested.items()}
    if not trainer.is_global_zero:
        return metrics
    if not args.fast_dev_run:
        curve.write({name: value for name, value in metrics.items() if name.startswith("test/")})
    for name, value in sorted(metrics.items()):
        print(f"{name}: {value:.4f}")
    if best:
        print(f"best model: {best}")
    print(f"report: {curve.folder / 'report.html'}")
    if args.wandb and trainer.logger:
        trainer.logger.experiment.finish()
    return metrics


if __name__ == "__main__":
    main()
