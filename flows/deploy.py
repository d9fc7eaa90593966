"""The `deploy` flow: look at the committed model's bento, ask for approval, promote, and look at the service.

Whatever fails before the promotion leaves the model in service alone. What fails after it is rolled back.
"""

from pathlib import Path
from typing import Literal

from prefect import flow, get_run_logger, pause_flow_run
from prefect.client.schemas.objects import State
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput

from flows.canary_service import canary_service
from flows.flow_options import OPTIONS
from flows.logs import log_errors_as_messages
from flows.one_run import only_run
from flows.outcomes import declined, rejected, rolled_back, skipped
from flows.tell import tell
from text_recognizer.core import config
from text_recognizer.core.layout import Layout
from text_recognizer.core.schemas import Verdict
from text_recognizer.inference.model_info import INFO_FILE
from text_recognizer.release.canary import CanaryError, KnownPage, known_pages, probe, wait_for_model
from text_recognizer.release.gate_verdict import table
from text_recognizer.release.promotion import promote, rollback
from text_recognizer.release.watching import champion_of
from text_recognizer.stages.champion_scoring import rescorer
from text_recognizer.utils.files import sha256
from text_recognizer.utils.process_locks import BusyError

# How many known pages are read, and by how much their CER may lie above that of the score: rounding of another machine.
PAGES, MAX_EXCESS = 5, 0.02
TAKEOVER_SECONDS = 300.0
POLL_SECONDS = 5


class Approval(RunInput):
    """The answer of a person: whether the model may go into service."""

    approved: bool = False


@flow(
    name="deploy",
    description="Puts the committed model into service if its bento reads known pages, and takes it out again if not.",
    **OPTIONS,
)
def deploy(
    project: Path = Path(),
    reason: str = "on request",  # noqa: ARG001 part of the name of the run
    approval: Literal["required", "none"] = "none",
    approval_seconds: int = 86_400,
    service: str = "http://127.0.0.1:3000",
) -> State[None] | None:
    """Put the committed model into service; `project` is the folder of a clone.

    With `approval` 'required', a person has `approval_seconds` to say yes in Prefect's page or by `text-recognizer
    approve`; no answer means no. `service` is the address of the running service, which has to answer with the model
    then; empty: there is none. The run ends as Completed, Skipped, Rejected, Declined or RolledBack. Raises CanaryError
    if the bento does not start or does not read, and RegistryError if the model is not committed.
    """
    log_errors_as_messages()
    folder = project.resolve()
    model = digest_of(folder)
    try:
        with only_run(folder):
            if is_in_service(folder, model):
                return skipped(f"the model {model[:12]} is in service already")
            pages = known_pages(folder, PAGES)
            with canary_service(Layout(folder).bento, folder) as address:
                probe(address, pages, model, MAX_EXCESS)
        # Others may work in the clone while a person thinks.
        if approval == "required" and not is_approved(approval_seconds):
            return declined("nobody approved the model in time, or somebody declined it")
        with only_run(folder):
            if digest_of(folder) != model:
                return skipped(f"another model was trained since; {model[:12]} was to be put into service")
            verdict = put_into_service(folder)
            if verdict.passed:
                return look_at(service, folder, verdict, pages)
    except BusyError as busy:
        return skipped(str(busy))
    tell("rejected", table(verdict))
    return rejected(table(verdict))


def digest_of(project: Path) -> str:
    """Return the digest of the model that the pipeline made."""
    return sha256(Layout(project).model / INFO_FILE)


def is_in_service(project: Path, model: str) -> bool:
    """Return whether the model of this digest is the one in service."""
    champion = champion_of(project, config.load(project / config.PARAMS_FILE).promote)
    return champion is not None and champion.record.model == model


def is_approved(seconds: int) -> bool:
    """Pause the run until a person answers, and return the answer; False if none comes in time."""
    tell("waiting", "a model waits for approval: `text-recognizer approve`, or resume the run in Prefect's page")
    try:
        return bool(pause_flow_run(wait_for_input=Approval, timeout=seconds, poll_interval=POLL_SECONDS).approved)
    except FlowPauseTimeout:
        return False


def put_into_service(project: Path) -> Verdict:
    """Promote the committed model."""
    params = config.load(project / config.PARAMS_FILE)
    return promote(project, params.gate, params.promote, rescore=rescorer(project))


def look_at(service: str, project: Path, verdict: Verdict, pages: list[KnownPage]) -> State[None] | None:
    """Have the service answer with the promoted model and read known pages; roll back if it does not."""
    log, version = get_run_logger(), str(verdict.version)
    if not service:
        log.info("%s is in service; no service was named to look at", version)
        tell("promoted", f"{version} is in service: CER {verdict.cer}")
        return None
    try:
        wait_for_model(service, str(verdict.model), TAKEOVER_SECONDS)
        excess = probe(service, pages, str(verdict.model), MAX_EXCESS)
    except CanaryError as problem:
        return roll_back(project, version, problem)
    log.info("%s answers with %s; its CER on known pages is %+.4f against the score", service, version, excess)
    tell("promoted", f"{version} is in service: CER {verdict.cer}")
    return None


def roll_back(project: Path, version: str, problem: CanaryError) -> State[None]:
    """Put the model that was in service before back. The first model has none before it, and stays."""
    section = config.load(project / config.PARAMS_FILE).promote
    entry = rollback(project, section, problem.what[:500])
    message = f"{version} was taken out of service, and {entry.version} is back: {problem.what}"
    tell("rolled back", message)
    return rolled_back(message)
