"""Tell people what a run did: by every notification block whose name begins with `text-recognizer`.

Blocks are made in Prefect's page, or in Python: a webhook, Slack, Teams, or an e-mail server by `Mail`. A message that
cannot be sent is logged, and never fails a run.
"""

import logging
from typing import Literal

from prefect.blocks.core import Block
from prefect.blocks.notifications import AppriseNotificationBlock
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import Flow, FlowRun, State

PREFIX = "text-recognizer"
Event = Literal["failed", "rejected", "waiting", "promoted", "rolled back", "retraining", "drift", "errors"]
logger = logging.getLogger("prefect.text_recognizer")


class Mail(AppriseNotificationBlock):
    """Send messages by e-mail. The URL is `mailto://user:password@host?to=someone@example.org`, or `mailtos://`."""

    _block_type_name = "text-recognizer mail"
    _block_type_slug = "text-recognizer-mail"


def tell(event: Event, body: str) -> int:
    """Send a message by every block, and return how many took it."""
    sent = 0
    for name in _blocks():
        try:
            Block.load(name).notify(body, subject=f"text-recognizer: {event}")
        # Whatever the service of a third party does must not fail the run.
        except Exception as error:  # noqa: BLE001
            logger.warning("the message %r was not sent by %s: %s", event, name, " ".join(str(error).split())[:300])
        else:
            sent += 1
    return sent


def tell_of_failure(_flow: Flow, run: FlowRun, state: State) -> None:
    """Tell that a run failed. This is a hook of the flows."""
    tell("failed", f"{run.name}: {state.message or state.name}")


def _blocks() -> list[str]:
    """Return the addresses, `type/name`, of the blocks to tell."""
    with get_client(sync_client=True) as client:
        documents = client.read_block_documents()
    return [
        f"{document.block_type.slug}/{document.name}"
        for document in documents
        if document.name and document.name.startswith(PREFIX) and document.block_type
    ]
