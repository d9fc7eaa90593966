"""The commands for whoever runs the system: status, approve."""

import argparse
import json
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add
from text_recognizer.core.errors import TextRecognizerError


class NothingWaitsError(TextRecognizerError):
    """No run waits for an answer, or more than one does and none was named."""

    code = "nothing-waits"


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `status` and `approve`."""
    status = add(commands, "status", _status, "show what is in service, the last and the next runs, and what waits")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.add_argument("--service", default="http://127.0.0.1:3000", metavar="URL", help="default: %(default)s")
    approve = add(commands, "approve", _approve, "let the model that waits for approval go into service")
    approve.add_argument("name", nargs="?", metavar="RUN", help="its name or id, if several runs wait")
    approve.add_argument("--no", action="store_true", help="decline it instead")
    for command in (status, approve):
        what = "API of the Prefect server; default: PREFECT_API_URL, else http://127.0.0.1:4200/api"
        command.add_argument("--server", default="", metavar="URL", help=what)


def _status(options: argparse.Namespace) -> int:
    from text_recognizer.core import config
    from text_recognizer.release.prefect_server import PrefectServer
    from text_recognizer.release.status import lines, look

    service = options.service.rstrip("/")
    status = look(Path(), config.load().promote, service, PrefectServer(options.server))
    print(json.dumps(status.model_dump(mode="json"), indent=2) if options.json else "\n".join(lines(status)))
    return 0


def _approve(options: argparse.Namespace) -> int:
    from text_recognizer.release.prefect_server import PrefectServer

    server = PrefectServer(options.server)
    waiting = [run for run in server.waiting_runs() if options.name in (None, run["name"], run["id"])]
    if len(waiting) != 1:
        names = ", ".join(repr(run["name"]) for run in waiting)
        what = f"{len(waiting)} runs wait for an answer: {names}" if waiting else "no run waits for an answer"
        raise NothingWaitsError(what, "name one of them" if waiting else "look at `text-recognizer status`")
    (run,) = waiting
    server.resume(run["id"], {"approved": not options.no})
    print(f"{run['name']}: {'declined' if options.no else 'approved'}")
    return 0
