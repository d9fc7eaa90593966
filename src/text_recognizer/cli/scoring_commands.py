"""The commands about what a model is worth: score, calibrate, verify, card."""

import argparse
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add, add_model
from text_recognizer.core.layout import LAYOUT, require_writable_model


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `score`, `calibrate`, `verify` and `card`."""
    score = add(commands, "score", _score, "score a model on transcribed pages, and name those that it reads worst")
    score.add_argument(
        "--archive", required=True, type=Path, metavar="ADDRESS", help="in IAM's layout or any format of `import`"
    )
    score.add_argument(
        "--split",
        required=True,
        metavar="NAME/PART",
        help="for instance aachen/test; of a corpus in another format train, validation, test or all",
    )
    score.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    calibrate = add(commands, "calibrate", _calibrate, "calibrate a model's confidences on held-out pages")
    _add_archive(calibrate, required=True, example="aachen/validation")
    verify = add(commands, "verify", _verify, "score a model again and say whether a published score holds")
    _add_archive(verify, required=False, example="aachen/test")
    card = add(commands, "card", _card, "write MODEL_CARD.md into a model folder, from its score")
    card.add_argument("--verdict", type=Path, metavar="FILE", help="default: verdict.json beside the score")
    card.add_argument("--trained-on", default="", metavar="TEXT", help="a line about the training data, for the card")
    for command in (score, calibrate, verify, card):
        add_model(command)
    for command in (verify, card):
        command.add_argument(
            "--score",
            type=Path,
            metavar="FILE",
            help="default: score.json of the model's folder, else reports/score.json",
        )


def _add_archive(parser: argparse.ArgumentParser, required: bool, example: str) -> None:
    instead = "" if required else "; default: the packed test split of the project"
    parser.add_argument("--archive", required=required, type=Path, metavar="ZIP", help=f"in IAM's layout{instead}")
    parser.add_argument("--split", required=required, metavar="NAME/PART", help=f"for instance {example}")


def _score_of(options: argparse.Namespace) -> Path:
    """Return the score file to use: the one named, else the model folder's own, else the pipeline's."""
    own = options.model / LAYOUT.score.name
    return options.score or (own if own.exists() else LAYOUT.score)


def _score(options: argparse.Namespace) -> int:
    from text_recognizer.evaluation.archive_scoring import SCORING, score_archive
    from text_recognizer.evaluation.corpus_scoring import PARTS, score_corpus
    from text_recognizer.utils.files import write_json

    score_pages = score_corpus if options.split in PARTS else score_archive
    score = score_pages(options.archive, options.split, options.model, SCORING)
    low, high = score.cer_interval
    print(
        f"CER {score.cer:.4f} [{low:.4f}, {high:.4f}], with newlines {score.cer_newlines:.4f}, "
        f"WER {score.wer:.4f} on {score.pages} pages, {score.characters} characters, {score.seconds:.1f} s"
    )
    for page in score.worst_pages:
        print(f"  {page.cer:.4f}  {page.id}: {page.edits} of {page.characters} characters")
    if options.json:
        write_json(options.json, score.model_dump(mode="json"))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    require_writable_model(options.model)
    from text_recognizer.evaluation.model_calibration import calibrate_on_archive

    found = calibrate_on_archive(options.model, options.archive, options.split)
    fitted = f"temperature {found.calibration.temperature}, exponent {found.calibration.exponent}"
    print(f"{fitted}, fitted on {found.characters} characters, kept in {options.model}")
    for kind in ("characters", "words", "lines"):
        before, after = (_rate(getattr(errors, kind)) for errors in (found.before, found.after))
        print(f"expected calibration error of the {kind}: {before}, now {after}")
    return 0


def _rate(error: float | None) -> str:
    return "none, nothing was read" if error is None else f"{error:.4f}"


def _verify(options: argparse.Namespace) -> int:
    from text_recognizer.core import config
    from text_recognizer.core.errors import ConfigError

    section = config.load().evaluate
    if bool(options.archive) != bool(options.split):
        raise ConfigError("an archive and a split belong together", "give both --archive and --split, or neither")
    from text_recognizer.evaluation.verification import failed_checks, pages_to_verify, table, verify

    packed = pages_to_verify(LAYOUT.processed, options.archive, options.split, options.model)
    checks = verify(_score_of(options), options.model, packed, section)
    print(table(checks))
    return 1 if failed_checks(checks) else 0


def _card(options: argparse.Namespace) -> int:
    require_writable_model(options.model)
    from text_recognizer.release.model_card import write_card

    score = _score_of(options)
    verdict = options.verdict or score.with_name(LAYOUT.verdict.name)
    print(write_card(options.model, score, verdict, options.trained_on))
    return 0
