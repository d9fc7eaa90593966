"""The commands of the registry: models, promote, rollback."""

import argparse
import json
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add
from text_recognizer.core.layout import LAYOUT


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `models`, `promote` and `rollback`."""
    models = add(commands, "models", _models, "list the versions of the model: data, CER, verdict, which is in service")
    models.add_argument("--json", action="store_true", help="the whole history, as JSON")
    models.add_argument("--bring", action="store_true", help="first copy the model in service to models/champion")
    promote = add(commands, "promote", _promote, "put the committed model into service if it passes and beats it")
    promote.add_argument("--override", action="append", default=[], metavar="RULE", help="let it miss this rule")
    promote.add_argument("--by", metavar="NAME", help="who overrides; recorded in verdict, model card and labels")
    promote.add_argument("--reason", metavar="TEXT", help="why; recorded beside the name")
    rollback = add(commands, "rollback", _rollback, "put the version before the one in service back")
    rollback.add_argument("--to", metavar="VERSION", help="one that was in service, for instance v3")
    rollback.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the registry")


def _models(options: argparse.Namespace) -> int:
    from text_recognizer.core import config
    from text_recognizer.release.listing import list_versions, table
    from text_recognizer.release.promotion import fetch_champion

    section = config.load().promote
    if options.bring:
        champion = fetch_champion(Path(), section)
        print(f"brought {champion.version} to {LAYOUT.champion}")
    rows = list_versions(Path(), section)
    print(json.dumps([row.model_dump(mode="json") for row in rows], indent=2) if options.json else table(rows))
    return 0


def _promote(options: argparse.Namespace) -> int:
    from text_recognizer.core import config
    from text_recognizer.core.errors import ConfigError
    from text_recognizer.core.schemas import Override
    from text_recognizer.release.gate_verdict import table as verdict_table
    from text_recognizer.release.promotion import promote
    from text_recognizer.stages.champion_scoring import rescorer

    params = config.load()
    override = None
    if options.override or options.by or options.reason:
        if not (options.override and options.by and options.reason):
            raise ConfigError(
                "an override needs a rule, a name and a reason", "add --override RULE --by NAME --reason WHY"
            )
        override = Override(rules=tuple(options.override), by=options.by, reason=options.reason)
    verdict = promote(Path(), params.gate, params.promote, override, rescore=rescorer(Path()))
    print(verdict_table(verdict))
    done = f"in service from now on, and in {LAYOUT.champion}" if verdict.passed else "refused, and recorded as that"
    print(f"{verdict.version}: {done}")
    return 0 if verdict.passed else 1


def _rollback(options: argparse.Namespace) -> int:
    from text_recognizer.core import config
    from text_recognizer.release.promotion import rollback

    entry = rollback(Path(), config.load().promote, options.reason, options.to)
    print(f"{entry.version} is in service again, and in {LAYOUT.champion}")
    return 0
