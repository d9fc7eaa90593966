"""List the stages of `dvc.yaml` in their order, with what has changed, and bring one of them up to date with DVC."""

import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.child_process import read_chunks, running, split_lines
from flows.console import Console, terminal
from text_recognizer.core.errors import ConfigError, TextRecognizerError
from text_recognizer.utils.process_locks import BusyError

KEPT_LINES = 400
QUOTED_LINES = 15
# What DVC 3 prints about a stage, and what it means.
RAN, UP_TO_DATE, RESTORED = "ran", "up to date", "restored from the cache"
OUTCOMES = {"didn't change, skipping": UP_TO_DATE, "is cached - skipping run": RESTORED}
DVC_ERROR = "ERROR: "
# `dvc repro` itself exits with 255 after any failure. Only its last message has the exit status of the stage.
STAGE_EXIT = re.compile(r"^ERROR: failed to reproduce .*, exited with (-?\d+)$", re.MULTILINE | re.DOTALL)
# A shell reports that its command was killed by signal N as the exit status 128 + N.
SHELL_SIGNALS = 128
# DVC prints this advice after every stage. The documentation gives it once.
ADVICE = re.compile(
    r"To track the changes with git|\s+git add |To enable auto staging|\s+dvc config core\.autostage|Use `dvc push`"
    r"|Data and pipelines are up to date"
)


# What the next run does with a stage that was killed, where that is not to start again.
RESUMES = {
    "fetch": "run again: the download goes on where it stopped",
    "train": "run again: the training resumes from its last checkpoint, and ends with the same weights",
}

STARTS_AGAIN = "run again: the finished stages stay, and this one starts again"


class StageError(TextRecognizerError):
    """A stage failed. The message quotes the stage; `exit_status` is that of its command, 1 if there is none.

    `stopped_by` is the number of the signal that ended the stage, None if it ended by itself.
    """

    code = "stage"

    def __init__(self, stage: str, what: str, fix: str = "", exit_status: int = 1) -> None:
        super().__init__(what, fix)
        self.stage = stage
        self.exit_status = exit_status
        self.stopped_by: int | None = None


@dataclass(frozen=True)
class Step:
    """A stage: its name, the names of all stages that it depends on, and whether it has to run as things are now."""

    name: str
    upstream: frozenset[str]
    changed: bool


def pipeline(project: Path) -> list[Step]:
    """Return the stages, each after all that it depends on.

    Raises ConfigError if DVC cannot read them, and BusyError if another process of DVC has the clone.

    This takes as long as one `dvc status`. A step that has not changed may still have to run after one upstream of it
    has run.
    """
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo
    from networkx import ancestors, lexicographical_topological_sort

    try:
        with Repo(str(project)) as repo:
            graph = repo.index.graph.reverse()
            position = {stage: number for number, stage in enumerate(repo.index.stages)}
            stages = [stage for stage in lexicographical_topological_sort(graph, key=position.__getitem__) if stage.cmd]
            changed = repo.status().keys()
            names = {stage: _address(stage.name, Path(stage.path), project) for stage in stages}
            return [
                Step(
                    names[stage],
                    frozenset(names[other] for other in ancestors(graph, stage) if other in names),
                    stage.addressing in changed,
                )
                for stage in stages
            ]
    except LockError as error:
        raise BusyError(f"another process of DVC works in {project}: {error}", "wait until it has ended") from None
    except DvcException as error:
        what = f"DVC cannot read the pipeline in {project}: {error}"
        raise ConfigError(what, "run from a clone of the project, and correct dvc.yaml") from None


def _address(name: str, file: Path, project: Path) -> str:
    """Return a stage's name for DVC commands in the project's folder. DVC's own property is for the current folder."""
    place = os.path.relpath(file.resolve(), project.resolve())
    return name if place == "dvc.yaml" else f"{place}:{name}"


def run_stage(stage: str, project: Path, log: Callable[[str], None], *, force: bool = False) -> str:
    """Bring one stage up to date; with `force`, run it even if it is. `log` receives every finished line of its output.

    Returns 'ran', 'up to date' or 'restored from the cache'. Raises StageError if the stage fails. When this
    function has returned or raised, Ctrl-C included, the stage and all its processes have ended.
    """
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", *(["--force"] if force else []), stage]
    console = Console(log, terminal())
    lines: deque[str] = deque(maxlen=KEPT_LINES)
    try:
        with running(command, project, _environment(os.environ)) as child:
            for text, finished in split_lines(read_chunks(child)):
                if not ADVICE.match(text):
                    console.show(text, finished)
                if finished:
                    lines.append(text)
            status = child.wait()
    finally:
        console.clear()
    if status:
        raise stage_error(stage, status, lines)
    return next((outcome for words, outcome in OUTCOMES.items() if any(words in text for text in lines)), RAN)


def stage_error(stage: str, status: int, lines: Sequence[str]) -> StageError:
    """Return the error of a failed stage: `status` is that of `dvc repro`, and `lines` are its output."""
    found = exit_status(lines)
    if number := _signal(status) or _signal(found):
        what = f"the stage {stage!r} was ended by {signal.Signals(number).name}"
        error = StageError(stage, what, RESUMES.get(stage, STARTS_AGAIN))
        error.stopped_by = number
        return error
    return StageError(stage, f"the stage {stage!r} failed\n{failure_message(stage, lines)}", exit_status=found)


def _signal(status: int) -> int | None:
    """Return the number of the signal that ended a process with this exit status; None if none did."""
    number = -status if status < 0 else status - SHELL_SIGNALS
    return number if number in {one.value for one in signal.Signals} else None


def failure_message(stage: str, lines: Sequence[str]) -> str:
    """Return the part of a failed stage's output that says why.

    That is the message of our command line; else the last lines of the stage and the message of DVC.
    """
    output = list(lines)
    commands = [number for number, text in enumerate(output) if text.startswith("> ")]
    own = [text for text in output[commands[-1] + 1 :] if not text.startswith(DVC_ERROR)] if commands else []
    messages = [number for number, text in enumerate(own) if text.startswith(f"text-recognizer {stage}: ")]
    if messages:
        return "\n".join(own[messages[-1] :])
    dvc = [text.removeprefix(DVC_ERROR) for text in output if text.startswith(DVC_ERROR)]
    return "\n".join(own[-QUOTED_LINES:] + dvc) or "it printed no message"


def exit_status(lines: Sequence[str]) -> int:
    """Return the exit status of a failed stage's command from the output of `dvc repro`; 1 if DVC does not name it."""
    starts = [number for number, text in enumerate(lines) if text.startswith(DVC_ERROR)]
    found = STAGE_EXIT.search("\n".join(list(lines)[starts[-1] :])) if starts else None
    return int(found[1]) if found else 1


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return our environment with this Python's commands first in PATH and unbuffered output."""
    path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
    return {**inherited, "PATH": path, "PYTHONUNBUFFERED": "1"}
