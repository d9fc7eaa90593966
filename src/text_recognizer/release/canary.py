"""Probe a service with known pages: test pages whose readings the score of its model holds."""

import io
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.layout import Layout
from text_recognizer.core.metrics import Edits, character_edits
from text_recognizer.core.schemas import PageRow
from text_recognizer.release.http_json import NoAnswerError, ask, send, token_header

READ_SECONDS = 120.0
POLL_SECONDS = 0.5


class CanaryError(TextRecognizerError):
    """A service does not do what its model did when it was scored."""

    code = "canary"


@dataclass(frozen=True)
class KnownPage:
    """A test page as a PNG, and its row of the score."""

    picture: bytes
    row: PageRow


def known_pages(project: Path, count: int) -> list[KnownPage]:
    """Return at most `count` test pages that the score has, spread over the split.

    Raises DataError if the packed split is missing.
    """
    import numpy as np
    from PIL import Image

    from text_recognizer.corpora.packed_pages import PackedSplit
    from text_recognizer.inference.model_info import INFO_FILE, read_info
    from text_recognizer.inference.packed_paragraphs import paragraph_picture

    files = Layout(project)
    dpi = read_info(files.model / INFO_FILE).dpi
    packed = PackedSplit.open(files.processed, "test")
    rows = {row.id: row for row in map(PageRow.model_validate_json, files.pages.read_text("utf-8").splitlines())}
    scored = [pair for pair in zip(packed.canvases, packed.pages, strict=True) if pair[1].id in rows]
    step = max(1, len(scored) // count)
    known = []
    for canvas, page in scored[::step][:count]:
        stream = io.BytesIO()
        Image.fromarray(paragraph_picture(np.asarray(canvas), page, dpi)).save(stream, "PNG")
        known.append(KnownPage(stream.getvalue(), rows[page.id]))
    return known


def probe(service: str, pages: Sequence[KnownPage], model: str, max_excess: float) -> float:
    """Have a service read known pages, and return how much its CER lies above that of the score, a share of 1.

    Raises CanaryError if an answer is of another model than that of the digest `model`, if a page is not read, or if
    the CER lies above that of the score by more than `max_excess`.
    """
    read: list[Edits] = []
    for page in pages:
        answer = _read(service, page)
        if answer["model"]["digest"] != model:
            raise CanaryError(f"{service} answers with the model {answer['model']['digest'][:12]}, not {model[:12]}")
        read.append(character_edits(page.row.reference.replace("\n", " "), answer["text"].replace("\n", " ")))
    scored, found = sum(page.row.edits for page in pages), sum(row.edits for row in read)
    excess = (found - scored) / max(1, sum(page.row.characters for page in pages))
    if excess > max_excess:
        raise CanaryError(
            f"{service} makes {found} errors on {len(pages)} known pages; the score of its model has {scored}",
            "look into the log of the service, and into what its machine has other than this one",
        )
    return excess


def wait_for_model(service: str, model: str, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait until a service answers with the model of this digest. Raises CanaryError if it does not in `seconds`."""
    end = time.monotonic() + seconds
    found = "nothing"
    while time.monotonic() < end:
        try:
            described = ask(f"{service}/model", headers=token_header())
        except NoAnswerError as problem:
            found = problem.what
        else:
            if described["digest"] == model:
                return
            refused = described.get("refused")
            found = f"the model {described['digest'][:12]}" + (f": {refused['reason']}" if refused else "")
            if refused:
                break
        sleep(POLL_SECONDS)
    raise CanaryError(f"{service} does not answer with the model {model[:12]}, but with {found}", "look into its log")


def _read(service: str, page: KnownPage) -> dict[str, Any]:
    edge = secrets.token_hex(16)
    head = f'--{edge}\r\nContent-Disposition: form-data; name="picture"; filename="{page.row.id}.png"\r\n\r\n'
    body = head.encode() + page.picture + f"\r\n--{edge}--\r\n".encode()
    try:
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        answer = send(f"{service}/read", body, READ_SECONDS, {**token_header(), **kind})
    except NoAnswerError as problem:
        raise CanaryError(f"the known page {page.row.id} was not read: {problem.what}", problem.fix) from None
    if not isinstance(answer, dict) or "text" not in answer:
        raise CanaryError(f"the known page {page.row.id} was not read: {json.dumps(answer)[:200]}")
    return answer
