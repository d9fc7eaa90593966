"""The commands of `text-recognizer` with their options, from the parsers that read them."""

import argparse
import textwrap
from collections.abc import Iterator
from pathlib import Path

from markdown_text import heading, table

from text_recognizer.cli.entry_point import build_parser

USAGE_WIDTH = 88  # characters
# Where a command is described at length.
READ_ON = {
    "adapt": "your-own-hand.md",
    "approve": "running.md",
    "calibrate": "evaluation.md#calibration",
    "card": "evaluation.md#verifying-a-score",
    "evaluate": "evaluation.md",
    "export": "data-formats.md#what-is-exported",
    "feedback": "corrections.md#approval",
    "fetch": "data.md",
    "find-lines": "data.md#formats",
    "gate": "evaluation.md#the-gate",
    "import": "data-formats.md",
    "look": "output-formats.md",
    "pack-lines": "preprocess.md#lines-of-any-pages",
    "params": "reference/params.md",
    "preprocess": "preprocess.md",
    "promote": "evaluation.md#in-service",
    "read": "output-formats.md",
    "rollback": "evaluation.md#in-service",
    "score": "evaluation.md#any-other-archive",
    "serve": "service.md",
    "status": "running.md",
    "train": "reading.md#training-a-reader-yourself",
    "train-line-kind": "line-kinds.md",
    "validate": "validation.md",
    "verify": "evaluation.md#verifying-a-score",
}


def commands(root: Path) -> str:
    """Return a table of all commands, and a section for each."""
    found = list(_subcommands(build_parser()))
    overview = table(("command", "what it does"), ((f"[`{name}`](#{name})", summary) for name, summary, _ in found))
    return "\n\n".join([overview, *(_section(root / "docs", *one) for one in found)])


def _section(docs: Path, name: str, summary: str, parser: argparse.ArgumentParser) -> str:
    target = READ_ON.get(name)
    more = f" More: [{heading(docs, target)}]({target})." if target else ""
    parts = [f"### {name}", _sentence(summary) + more]
    for _, what, action in list(_subcommands(parser)) or [(name, "", parser)]:
        parts += [_sentence(what), _usage(action), _arguments(action), action.epilog or ""]
    return "\n\n".join(filter(None, parts))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _usage(parser: argparse.ArgumentParser) -> str:
    words = " ".join(parser.format_usage().removeprefix("usage: ").split()).replace(" [-h]", "")
    lines = textwrap.wrap(words, USAGE_WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(["```", *lines, "```"])


def _arguments(parser: argparse.ArgumentParser) -> str:
    """Return the table of a command's arguments."""
    formatter = parser._get_formatter()
    return table(
        ("argument", "meaning"),
        (
            (_name(action), formatter._expand_help(action) if action.help else "")
            for action in parser._actions
            if not isinstance(action, argparse._HelpAction)
        ),
    )


def _name(action: argparse.Action) -> str:
    """Return how an argument is written, with the name of its value."""
    value = action.metavar or (f"{{{', '.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return f"`{value}`"
    names = ", ".join(f"`{name}`" for name in action.option_strings)
    return names if action.nargs == 0 else f"{names} `{value}`"


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield the name, the summary and the parser of each command below a parser."""
    for group in parser._actions:
        if isinstance(group, argparse._SubParsersAction):
            for action in group._choices_actions:
                yield action.dest, action.help or "", group.choices[action.dest]
