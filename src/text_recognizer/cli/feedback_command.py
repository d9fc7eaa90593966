"""The commands that look at corrections and decide about them: feedback list, show, accept, reject."""

import argparse
from pathlib import Path

from text_recognizer.cli.command_options import Command, Commands, add, add_model
from text_recognizer.core.layout import LAYOUT


def add_feedback(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `feedback` with its own commands."""
    feedback = commands.add_parser("feedback", help="list corrections, show one, accept or reject those that wait")
    actions = feedback.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add(actions, "list", _list, "list the corrections: name, state, time, who sent it, lines")
    show = _add(actions, "show", _show, "print a correction, and how far it differs from what the reader reads")
    show.add_argument("name", metavar="NAME")
    add_model(show)
    accept = _add(actions, "accept", _accept, "let the next run of the pipeline train on corrections that wait")
    reject = _add(actions, "reject", _reject, "delete corrections with their pictures, whether they wait or not")
    for action in (accept, reject):
        action.add_argument("names", nargs="+", metavar="NAME")


def _add(
    actions: "Commands[argparse.ArgumentParser]", name: str, run: Command, summary: str
) -> argparse.ArgumentParser:
    parser = add(actions, name, run, summary)
    where = "where the service keeps corrections; default: %(default)s"
    parser.add_argument("--folder", type=Path, default=LAYOUT.feedback, metavar="FOLDER", help=where)
    return parser


def _list(options: argparse.Namespace) -> int:
    from text_recognizer.serving.review import list_corrections

    for one in list_corrections(options.folder):
        state = "waiting" if one.waiting else "accepted"
        print(f"{one.name}  {state:8}  {one.made or 'not valid':25}  {one.source or '-':12}  {one.lines:3} lines")
    return 0


def _show(options: argparse.Namespace) -> int:
    from text_recognizer.corpora import corrections
    from text_recognizer.inference import Recognizer
    from text_recognizer.serving.review import difference, find

    correction = corrections.read(find(options.folder, options.name), options.name)
    print(correction.form.text)
    print(f"\n{difference(correction, Recognizer.load(options.model)):.1%} CER of what the reader reads on its page")
    for fault in correction.left_out:
        print(f"left out: {fault}")
    return 0


def _accept(options: argparse.Namespace) -> int:
    from text_recognizer.serving.review import accept

    for name in options.names:
        accept(options.folder, name)
        print(f"{name}: accepted")
    return 0


def _reject(options: argparse.Namespace) -> int:
    from text_recognizer.serving.review import delete

    for name in options.names:
        delete(options.folder, name)
        print(f"{name}: deleted")
    return 0
