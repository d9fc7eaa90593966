"""The sub-commands about a model's worth and service. Nothing heavy is imported before one runs."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from text_recognizer import paths

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_commands(add: Add) -> None:
    """Adds the sub-commands; `add` makes one of a name, a function and a summary."""
    score = add("score", _score, "score a model on any archive in IAM's layout")
    score.add_argument("--archive", required=True, type=Path, metavar="ZIP", help="an archive in IAM's layout")
    score.add_argument("--split", required=True, metavar="NAME/PART", help="for instance aachen/test or lwitlrt/test")
    score.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    score.add_argument("--model", type=Path, default=paths.PRETRAINED, metavar="FOLDER", help="default: %(default)s")
    calibrate = add("calibrate", _calibrate, "fit how sure a model says it is, on pages that it was not trained on")
    calibrate.add_argument("--model", required=True, type=Path, metavar="FOLDER", help="its reader.json is changed")
    calibrate.add_argument("--archive", required=True, type=Path, metavar="ZIP", help="an archive in IAM's layout")
    calibrate.add_argument("--split", required=True, metavar="NAME/PART", help="for instance aachen/validation")
    verify = add("verify", _verify, "run a published score again and say whether it holds")
    verify.add_argument("--score", type=Path, metavar="FILE", help="default: reports/score.json")
    verify.add_argument("--model", type=Path, metavar="FOLDER", help="default: models/reader")
    verify.add_argument("--archive", type=Path, metavar="ZIP", help="instead of data/processed; wants --split")
    verify.add_argument("--split", metavar="NAME/PART", help="for instance aachen/test")
    card = add("card", _card, "write MODEL_CARD.md into a model folder, from its score")
    card.add_argument("--model", type=Path, metavar="FOLDER", help="default: models/reader")
    card.add_argument("--score", type=Path, metavar="FILE", help="default: reports/score.json")
    card.add_argument("--verdict", type=Path, metavar="FILE", help="default: verdict.json beside the score")
    card.add_argument("--trained-on", default="", metavar="TEXT", help="a line about the data, for the card")
    models = add("models", _models, "list the versions of the model: data, CER, verdict, and which is in service")
    models.add_argument("--json", action="store_true", help="the whole history, as JSON")
    models.add_argument("--bring", action="store_true", help="first bring the model in service to models/champion")
    promote = add("promote", _promote, "put the committed model into service, if it passes and beats the one there")
    promote.add_argument("--override", action="append", default=[], metavar="RULE", help="let it miss this rule")
    promote.add_argument("--by", metavar="NAME", help="who overrides; is written in verdict, model card and labels")
    promote.add_argument("--reason", metavar="TEXT", help="why; is written beside the name")
    rollback = add("rollback", _rollback, "put the version before the one in service back")
    rollback.add_argument("--to", metavar="VERSION", help="one that was in service, for instance v3")
    rollback.add_argument("--reason", required=True, metavar="TEXT", help="why; is kept in the registry")


def _score(options: argparse.Namespace) -> int:
    from text_recognizer.evaluation import SCORING, score_archive
    from text_recognizer.files import write_json

    score = score_archive(options.archive, options.split, options.model, SCORING)
    low, high = score["cer_interval"]
    print(
        f"CER {score['cer']:.4f} [{low:.4f}, {high:.4f}], with newlines {score['cer_newlines']:.4f}, "
        f"WER {score['wer']:.4f} on {score['pages']} pages, {score['characters']} characters, {score['seconds']:.1f} s"
    )
    if options.json:
        write_json(options.json, score)
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from text_recognizer.evaluation.calibrate import calibrate_on_archive

    found = calibrate_on_archive(options.model, options.archive, options.split)
    fitted = f"temperature {found['temperature']}, power {found['power']}"
    print(f"{fitted}, fitted on {found['characters']} characters, kept in {options.model}")
    for kind in ("characters", "words", "lines"):
        before, after = found[f"ece_{kind}"], found[f"ece_{kind}_after"]
        print(f"expected calibration error of the {kind}: {before:.4f}, now {after:.4f}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from text_recognizer import config
    from text_recognizer.errors import ConfigError

    section = config.load().evaluate
    if bool(options.archive) != bool(options.split):
        raise ConfigError("an archive and a split belong together", "give both --archive and --split, or neither")
    from text_recognizer.evaluation.verify import broken, pages_of, table, verify

    model = options.model or paths.MODEL
    packed = pages_of(paths.PROCESSED, options.archive, options.split, model)
    checks = verify(options.score or paths.SCORE, model, packed, section)
    print(table(checks))
    return 1 if broken(checks) else 0


def _card(options: argparse.Namespace) -> int:
    from text_recognizer.evaluation.card import write_card

    model, score = options.model or paths.MODEL, options.score or paths.SCORE
    print(write_card(model, score, options.verdict or score.with_name("verdict.json"), options.trained_on))
    return 0


def _models(options: argparse.Namespace) -> int:
    from text_recognizer import config
    from text_recognizer.registry import bring_champion, listed, table

    section = config.load().promote
    if options.bring:
        champion = bring_champion(Path(), section)
        print(f"brought {champion.version} to {paths.CHAMPION}")
    rows = listed(Path(), section)
    print(json.dumps(rows, indent=2) if options.json else table(rows))
    return 0


def _promote(options: argparse.Namespace) -> int:
    from text_recognizer import config
    from text_recognizer.errors import ConfigError
    from text_recognizer.evaluation import verdict_table
    from text_recognizer.registry import Override, promote

    params = config.load()
    override = None
    if options.override or options.by or options.reason:
        if not (options.override and options.by and options.reason):
            raise ConfigError(
                "an override needs a rule, a name and a reason", "add --override RULE --by NAME --reason WHY"
            )
        override = Override(tuple(options.override), options.by, options.reason)
    verdict = promote(Path(), params.gate, params.promote, override)
    print(verdict_table(verdict))
    done = f"in service from now on, and in {paths.CHAMPION}" if verdict["passed"] else "refused, and recorded as that"
    print(f"{verdict['version']}: {done}")
    return 0 if verdict["passed"] else 1


def _rollback(options: argparse.Namespace) -> int:
    from text_recognizer import config
    from text_recognizer.registry import rollback

    entry = rollback(Path(), config.load().promote, options.reason, options.to)
    print(f"{entry.version} is in service again, and in {paths.CHAMPION}")
    return 0
