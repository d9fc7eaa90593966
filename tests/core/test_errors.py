"""Errors carry a code, an exit status, and what to do."""

import pytest

from text_recognizer.core import errors
from text_recognizer.core.errors import DataError, TextRecognizerError

ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]


def test_every_kind_of_error_has_a_code_of_its_own():
    assert len(ERRORS) >= 6
    assert len({error.code for error in ERRORS}) == len(ERRORS)


def test_a_message_says_what_and_how_to_fix_it():
    error = DataError("the file is empty", "fetch it again")
    assert (error.what, error.fix) == ("the file is empty", "fetch it again")
    assert all(part in str(error) for part in (error.what, error.fix))
    assert str(TextRecognizerError("no fix is known")) == "no fix is known"


@pytest.mark.parametrize("kind", ERRORS)
def test_only_a_failed_connection_exits_with_the_status_of_a_temporary_failure(kind):
    temporary = issubclass(kind, errors.ConnectionFailedError)
    assert kind("what").exit_status == (75 if temporary else 1)
