"""The command that adapts the reader to one hand, from a few corrected pages."""

import argparse
import logging
import os
import re
from functools import partial
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add, add_model
from text_recognizer.core.errors import ConfigError
from text_recognizer.core.layout import LAYOUT

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
DETAILS = """It takes 5 to 50 pages in any format that `import` reads, corrections of the service among them, and about
15 minutes on two cores. The model is kept in models/own/NAME if it reads pages better that it was not trained on; then
`read --model own/NAME` uses it. Repeat the command to go on where it stopped."""


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `adapt`."""
    parser = add(commands, "adapt", _adapt, "train the reader on with a few corrected pages of one hand")
    parser.epilog = DETAILS
    pages = "the pages with their texts. If it has a train.list, the pages that this names"
    parser.add_argument("--pages", type=Path, required=True, metavar="FOLDER", help=pages)
    parser.add_argument("--name", required=True, help="of the new model: letters, digits, dots, dashes")
    parser.add_argument("--force", action="store_true", help="replace the model of that name")
    parser.add_argument("--seed", type=int, default=1, help="of the folds and the training; default: %(default)s")
    add_model(parser)


def _adapt(options: argparse.Namespace) -> int:
    out = _folder(options.name, options.force)
    if options.seed < 0:
        raise ConfigError(f"--seed {options.seed} is negative", "give a number from 0 on")
    from text_recognizer.inference.model_info import INFO_FILE, read_info
    from text_recognizer.preprocess.line_sources import list_pages

    info = read_info(options.model / INFO_FILE)
    files = list_pages([options.pages], "aachen", "train", unlisted=True)
    from text_recognizer.preprocess.line_packing import collect_strips
    from text_recognizer.stages.strip_reader import page_reader
    from text_recognizer.training.adaptation import adapt, require_pages
    from text_recognizer.training.adaptation_runs import AdaptationSettings, canvas_section
    from text_recognizer.training.adapted_model import write_adapted

    logging.basicConfig(format="%(message)s")
    logging.getLogger("text_recognizer").setLevel(logging.INFO)
    # Runs on a person's own pages are sent to Weights & Biases only if the person asks for it.
    os.environ.setdefault("WANDB_MODE", "disabled")
    require_pages(len(files))
    part = collect_strips(files, canvas_section(info), page_reader(options.model), "training")
    print(part.summary("pages"))
    write = partial(write_adapted, folder=out, name=f"own/{options.name}", source=str(options.pages))
    settings = AdaptationSettings(seed=options.seed)
    print(adapt(part.strips, options.model, LAYOUT.scratch, settings, finish=write).summary())
    print(f"{out}: text-recognizer read --model own/{options.name} PICTURE")
    return 0


def _folder(name: str, force: bool) -> Path:
    """Return the folder of the new model. Raises ConfigError if the name is not valid, or taken."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"--name {name} is not a valid name", "use letters, digits, dots, dashes and underscores")
    out = LAYOUT.own_models / name
    if out.exists() and not force:
        raise ConfigError(f"{out} exists", "give another --name, or replace it with --force")
    return out
