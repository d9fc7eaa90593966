"""Choose the format of an answer: by `?format=`, else by the header Accept, else JSON."""

from text_recognizer.core.output_formats import FORMATS, OutputFormat
from text_recognizer.serving.problems import RequestError

# The media type of each format, and others that clients may ask for it with.
MEDIA_TYPES: dict[OutputFormat, str] = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "page": "application/vnd.prima.page+xml",
    "alto": "application/alto+xml",
    "hocr": "text/vnd.hocr+html; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "pdf": "application/pdf",
}

EVENTS = "text/event-stream"


def wants_events(accept: str) -> bool:
    """Return whether a header Accept asks for server-sent events."""
    return any(kind == EVENTS and quality > 0 for kind, quality in _parse(accept))


def choose_format(named: OutputFormat | None, accept: str) -> OutputFormat:
    """Return the format that a client wants most. Raises RequestError, status 406, if the header admits none."""
    if named:
        return named
    wanted = sorted(_parse(accept), key=lambda one: -one[1])
    refused = {kind for kind, quality in wanted if quality == 0}
    kinds: list[OutputFormat] = [kind for kind in ("json", *FORMATS) if _name(kind) not in refused]
    for pattern, quality in wanted:
        found = next((kind for kind in kinds if _matches(pattern, kind)), None)
        if quality > 0 and found:
            return found
    if not wanted:
        return "json"
    names = ", ".join(map(_name, FORMATS))
    raise RequestError(406, f"no format of this service is among {accept[:200]!a}; it has {names}")


def _parse(accept: str) -> list[tuple[str, float]]:
    """Return the media types of a header, each with its quality of 0 to 1. Of other parameters, none counts."""
    found = []
    for part in filter(str.strip, accept.split(",")):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        found.append((kind, _number(quality)))
    return found


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _name(kind: OutputFormat) -> str:
    return MEDIA_TYPES[kind].partition(";")[0]


def _matches(pattern: str, kind: OutputFormat) -> bool:
    if pattern == "*/*":
        return True
    main, _, sub = pattern.partition("/")
    return _name(kind) == pattern or (sub == "*" and _name(kind).startswith(f"{main}/"))
