"""Log an expected error as its message, without a traceback."""

import logging

from text_recognizer.core.errors import TextRecognizerError

RUN_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")


def log_errors_as_messages() -> None:
    """Make Prefect log a TextRecognizerError as its message alone. Any other exception keeps its traceback."""
    for name in RUN_LOGGERS:
        logging.getLogger(name).addFilter(_replace_traceback)


def _replace_traceback(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, TextRecognizerError):
        record.msg, record.args, record.exc_info, record.exc_text = str(error), (), None, None
    return True
