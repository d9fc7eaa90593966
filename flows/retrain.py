"""Run the flow `retrain` here and now: `python -m flows.retrain`, without a server or against PREFECT_API_URL.

Prefect takes several times as long to import as DVC takes to find that nothing has changed. So the flow starts only if
there is something to do.
"""

import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

from flows.child_process import in_own_session
from flows.dvc_stages import pipeline
from flows.release_checks import RejectedError, require_releasable
from flows.summary import plain, summarise
from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.layout import Layout
from text_recognizer.utils.process_locks import holder

NAME = "retrain"


def main() -> NoReturn:
    """Run the flow if something is to do, and exit with its status; 1 for a model that may not be released."""
    sys.exit(in_own_session(partial(run, Path().resolve())))


def run(project: Path) -> int:
    """Show the summary if every stage is up to date; else run the flow. Return the exit status."""
    try:
        if is_up_to_date(project):
            return show(project)
    except TextRecognizerError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return error.exit_status
    # After the check: the imports of Prefect take seconds.
    from flows.entry import run_flow
    from flows.retraining import retrain

    return run_flow(NAME, partial(retrain, project, return_state=True))


def is_up_to_date(project: Path) -> bool:
    """Return whether no stage has to run. False if another flow works in the clone, or was killed there."""
    if holder(Layout(project).pipeline_lock) != (None, False):
        return False
    return not any(step.changed for step in pipeline(project))


def show(project: Path) -> int:
    """Print the summary of the last run. Return 0, or 1 if its model may not be released, which is printed too."""
    print(f"every stage is up to date\n\n{plain(summarise(project))}\n", flush=True)
    try:
        require_releasable(project)
    except RejectedError as refusal:
        print(f"{NAME}: {refusal}", file=sys.stderr)
        return refusal.exit_status
    return 0


if __name__ == "__main__":
    main()
