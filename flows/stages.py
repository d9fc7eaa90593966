"""The stages of `dvc.yaml`: their order, and bringing one of them up to date with DVC."""

import os
import re
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from flows.console import Console, terminal
from flows.process import chunks, running, updates
from text_recognizer.errors import ConfigError, TextRecognizerError

REMEMBERED_LINES = 400
QUOTED_LINES = 15
# What DVC 3 prints of a stage, and what it means.
RAN, UP_TO_DATE, RESTORED = "ran", "up to date", "restored from the cache"
OUTCOMES = {"didn't change, skipping": UP_TO_DATE, "is cached - skipping run": RESTORED}
DVC_FAILURE = "ERROR: "
# What DVC advises after every stage; said once, by the documentation, it is enough.
ADVICE = re.compile(
    r"To track the changes with git|\s+git add |To enable auto staging|\s+dvc config core\.autostage|Use `dvc push`"
    r"|Data and pipelines are up to date"
)


class StageError(TextRecognizerError):
    """A stage failed. The message holds the stage's own words."""


def pipeline(project: Path) -> list[str]:
    """The names of the stages, each after all that it depends on. Raises ConfigError where DVC cannot say."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from networkx import lexicographical_topological_sort

    try:
        with Repo(str(project)) as repo:
            graph = repo.index.graph.reverse()
            written = {stage: number for number, stage in enumerate(repo.index.stages)}
            ordered = lexicographical_topological_sort(graph, key=written.__getitem__)
            return [_address(stage.name, Path(stage.path), project) for stage in ordered if stage.cmd]
    except DvcException as error:
        raise ConfigError(
            f"DVC cannot read the pipeline in {project}: {error}", "run from a clone of the project, and mend dvc.yaml"
        ) from None


def _address(name: str, file: Path, project: Path) -> str:
    """A stage as DVC's commands know it in the project's folder; DVC's own property says it for the current folder."""
    place = os.path.relpath(file.resolve(), project.resolve())
    return name if place == "dvc.yaml" else f"{place}:{name}"


def run_stage(stage: str, project: Path, say: Callable[[str], None]) -> str:
    """Brings one stage up to date; every finished line of its output goes to `say` as it comes.

    Returns 'ran', 'up to date' or 'restored from the cache'. Raises StageError with what the stage said. Whatever stops
    it, Ctrl-C included, the stage and all its processes have ended by then.
    """
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", stage]
    console = Console(say, terminal())
    said: deque[str] = deque(maxlen=REMEMBERED_LINES)
    try:
        with running(command, project, _environment(os.environ)) as child:
            for text, finished in updates(chunks(child)):
                if not ADVICE.match(text):
                    console.show(text, finished)
                if finished:
                    said.append(text)
            status = child.wait()
    finally:
        console.clear()
    if status:
        raise StageError(f"the stage {stage!r} failed\n{own_words(stage, said)}")
    return next((outcome for words, outcome in OUTCOMES.items() if any(words in text for text in said)), RAN)


def own_words(stage: str, said: Sequence[str]) -> str:
    """The part of a failed stage's output that says why: its message; else its last lines; else DVC's message."""
    lines = list(said)
    commands = [number for number, text in enumerate(lines) if text.startswith("> ")]
    own = [text for text in lines[commands[-1] + 1 :] if not text.startswith(DVC_FAILURE)] if commands else []
    starts = [number for number, text in enumerate(own) if text.startswith(f"text-recognizer {stage}: ")]
    if starts:
        return "\n".join(own[starts[-1] :])
    dvc = [text.removeprefix(DVC_FAILURE) for text in lines if text.startswith(DVC_FAILURE)]
    return "\n".join(own[-QUOTED_LINES:] + dvc) or "it said nothing"


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Ours, with this environment's commands found first and no output held back."""
    path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
    return {**inherited, "PATH": path, "PYTHONUNBUFFERED": "1"}
