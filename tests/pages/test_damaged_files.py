"""Files that are damaged in any way either open or are refused with an explanation."""

import struct

import pytest
from tests.pages.fuzz import DAMAGES, FILES, damaged_file, outcome

from text_recognizer.core.errors import DataError
from text_recognizer.pages.opening import is_page_file, open_pages, open_picture

CASES = 6 * len(FILES)
# Pillow warns of damaged metadata.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_files_open_before_they_are_damaged(name):
    assert outcome(FILES[name]) == "opened"
    assert is_page_file(FILES[name])


def test_a_damaged_file_opens_or_is_refused():
    seen = {case: outcome(damaged_file(case)[1]) for case in range(CASES)}
    assert len(seen) >= 200
    assert set(seen.values()) == {"opened", "refused"}


def test_the_cases_damage_every_file_in_every_way():
    done = [damaged_file(case)[0] for case in range(CASES)]
    assert {name.split(" of ")[1] for name in done} == set(FILES)
    assert {name.split(" of ")[0] for name in done} == {damage.__name__ for damage in DAMAGES}


def tiff_with_float_offsets() -> bytes:
    """A TIFF of 8 by 8 px whose strip offset and length are floats."""
    tags = [(256, 3, 8), (257, 3, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
    rows = b"".join(struct.pack("<HHIHH", tag, kind, 1, value, 0) for tag, kind, value in tags)
    floats = b"".join(struct.pack("<HHIf", tag, 11, 1, value) for tag, value in ((273, 120.0), (279, 64.0)))
    return b"II*\0" + struct.pack("<IH", 8, 7) + rows + floats + struct.pack("<I", 0) + bytes(200)


@pytest.mark.parametrize("read", [open_picture, lambda data, name: list(open_pages(data, name))])
def test_offsets_that_are_no_integers_are_refused(read):
    with pytest.raises(DataError) as caught:
        read(tiff_with_float_offsets(), "upload 3")
    assert "upload 3" in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize("data", [b"", b"hello", b"<html></html>", b"PK\3\4" + bytes(100)])
def test_what_is_no_page_file_is_told_from_a_damaged_one(data):
    assert not is_page_file(data)
    assert is_page_file(FILES["jpeg-RGB"][:200])
    assert is_page_file(tiff_with_float_offsets())
