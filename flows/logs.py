"""Failures in the run's log in people's words: a problem its reader can mend needs no traceback."""

import logging

from text_recognizer.errors import TextRecognizerError

RUN_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")


def plain_failures() -> None:
    """Makes Prefect log a TextRecognizerError as its message alone. Any other exception keeps its traceback."""
    for name in RUN_LOGGERS:
        logging.getLogger(name).addFilter(_in_words)


def _in_words(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, TextRecognizerError):
        record.msg, record.args, record.exc_info, record.exc_text = str(error), (), None, None
    return True
