"""The command line of `run_experiment`: the lab's arguments, and those of the classes that it names, by group."""

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

import text_recognizer.data
import text_recognizer.models
from text_recognizer.core.errors import ConfigError
from text_recognizer.data import BaseDataModule
from text_recognizer.lit_models import ClassifierLitModel, CTCLitModel, ExperimentLitModel, TransformerLitModel
from text_recognizer.models.network import Network

LIT_MODELS: dict[str, type[ExperimentLitModel]] = {"transformer": TransformerLitModel, "ctc": CTCLitModel}
PRECISIONS = {"16": "16-mixed", "bf16": "bf16-mixed", "32": "32-true", "64": "64-true"}
LOGS = Path("runs/experiments")


@dataclass(frozen=True)
class ExperimentClasses:
    """The classes of an experiment: data module, network, and training module."""

    data: type[BaseDataModule]
    model: type[Network]
    lit: type[ExperimentLitModel]


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, ExperimentClasses]:
    """Return the arguments and the classes that they name. Raises ConfigError for a class that does not exist."""
    parser = argparse.ArgumentParser(
        prog="run_experiment",
        description="Train a model of text_recognizer.models on data of text_recognizer.data, and test it. "
        "To see the arguments of a class, put --help after its name.",
        add_help=False,
        allow_abbrev=False,
    )
    _add_basics(parser.add_argument_group("Experiment"))
    _add_trainer(parser.add_argument_group("Trainer Args"))
    first, _ = parser.parse_known_args(arguments)
    # --loss belongs to the training module, but also decides which one that is.
    loss = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    loss.add_argument("--loss", default="cross_entropy")
    classes = ExperimentClasses(
        _class_named("--data_class", text_recognizer.data, first.data_class),
        _class_named("--model_class", text_recognizer.models, first.model_class),
        LIT_MODELS.get(loss.parse_known_args(arguments)[0].loss, ClassifierLitModel),
    )
    if not hasattr(classes.model, "add_to_argparse") or classes.model is Network:
        raise ConfigError(f"--model_class {first.model_class} has a command of its own", "use `text-recognizer train`")
    data: Any = parser.add_argument_group("Data Args")  # a group adds arguments as a parser does
    classes.data.add_to_argparse(data)
    classes.model.add_to_argparse(parser.add_argument_group("Model Args"))
    classes.lit.add_to_argparse(parser.add_argument_group("LitModel Args"))
    parser.add_argument("--help", "-h", action="help", help="show this message")
    parser.set_defaults(seed=0)
    return parser.parse_args(arguments), classes


def _class_named(option: str, package: ModuleType, name: str) -> Any:  # noqa: ANN401
    if name in package.__all__:
        return getattr(package, name)
    near = difflib.get_close_matches(name, package.__all__, n=1, cutoff=0.0)
    raise ConfigError(f"{option} {name}: {package.__name__} has no such class", f"the nearest is {near[0]}")


def _add_basics(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--data_class", default="IAMParagraphs", help="a class of text_recognizer.data; default: %(default)s")
    add("--model_class", default="ResnetTransformer", help="a class of text_recognizer.models; default: %(default)s")
    add("--wandb", action="store_true", help="log to Weights & Biases too: offline unless WANDB_API_KEY is set")
    add("--profile", action="store_true", help="write a trace of training steps 3 to 5 for chrome://tracing")
    add("--load_checkpoint", type=Path, metavar="FILE", help="start from the weights of a checkpoint, the lab's too")
    add(
        "--stop_early", type=int, default=0, metavar="N", help="stop after N validations without a lower loss; 0: never"
    )
    add("--resume", type=Path, metavar="FOLDER", help="resume the run in FOLDER with the arguments it was started with")
    add("--log_dir", type=Path, default=LOGS, help="where each run makes its folder; default: %(default)s")


def _add_trainer(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--max_epochs", type=int, default=1, help="default: %(default)s")
    add("--max_steps", type=int, default=-1, help="optimiser steps, if they end before the epochs; -1: no limit")
    add("--gpus", help="how many GPUs, or which (0,1); 0 is the CPU, -1 all; default: a GPU if there is one")
    add("--accelerator", default="auto", choices=("auto", "cpu", "gpu"), help="used if --gpus is not given")
    add("--devices", type=int, default=1, help="processes on the CPU, or GPUs; default: %(default)s")
    add("--num_nodes", type=int, default=1, help="machines; default: %(default)s")
    add("--strategy", default="auto", help="of Lightning, for several devices: ddp; default: %(default)s")
    add("--precision", default="32", choices=[*PRECISIONS], help="16 and bf16 are mixed; default: %(default)s")
    for split in ("train", "val", "test"):
        add(f"--limit_{split}_batches", type=number, default=1.0, help="batches (10), or a share of them (0.5)")
    add("--overfit_batches", type=number, default=0, help="train and validate on these batches alone, unaugmented")
    add("--check_val_every_n_epoch", type=int, default=1, help="default: %(default)s")
    add("--accumulate_grad_batches", type=int, default=1, help="batches whose gradients make a step")
    add("--gradient_clip_val", type=float, default=None, help="largest norm of the gradient; default: no limit")
    add("--log_every_n_steps", type=int, default=10, help="default: %(default)s")
    add("--fast_dev_run", action="store_true", help="run one batch of each kind, to see that everything works")
    add("--auto_lr_find", action="store_true", help="find a learning rate first (Smith 2017), and train with it")


def number(text: str) -> int | float:
    """Parse '10' as ten batches and '0.5' as half of them."""
    return float(text) if "." in text else int(text)


def devices(args: argparse.Namespace) -> dict[str, Any]:
    """Return Lightning's `accelerator` and `devices` for `--gpus`, `--accelerator` and `--devices`.

    Raises ConfigError if a GPU is requested and there is none.
    """
    if args.gpus is None:
        kind = args.accelerator
        if kind == "auto":
            kind = "gpu" if torch.cuda.is_available() else "cpu"
        chosen: dict[str, Any] = {"accelerator": kind, "devices": args.devices}
    elif args.gpus == "0":
        chosen = {"accelerator": "cpu", "devices": args.devices}
    else:
        which = [int(part) for part in args.gpus.split(",") if part] if "," in args.gpus else int(args.gpus)
        chosen = {"accelerator": "gpu", "devices": which}
    if chosen["accelerator"] == "gpu" and not torch.cuda.is_available():
        raise ConfigError("a GPU is requested, but torch finds none", "give --gpus=0 to run on the CPU")
    return chosen


def precision(args: argparse.Namespace, accelerator: str) -> tuple[str, str]:
    """Return Lightning's `precision`, and a warning if it is not the requested one, else ''."""
    if args.precision == "16" and accelerator == "cpu":
        return PRECISIONS["32"], "--precision 16 needs a GPU; this run is on the CPU and computes in 32 bits"
    return PRECISIONS[args.precision], ""
