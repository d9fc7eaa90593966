"""Heavy names of a package are imported when they are asked for, and not before."""

import subprocess
import sys

import pytest

import text_recognizer.data
import text_recognizer.models


@pytest.mark.parametrize("package", [text_recognizer.data, text_recognizer.models])
def test_every_name_that_is_offered_is_there_and_listed(package):
    assert set(package.__all__) <= set(dir(package))
    assert [name for name in package.__all__ if getattr(package, name).__name__ != name] == []


@pytest.mark.parametrize("package", [text_recognizer.data, text_recognizer.models])
def test_a_name_that_is_not_there_is_told_as_python_tells_it(package):
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Nothing'"):
        _ = package.Nothing


def test_the_packages_alone_bring_no_torch():
    code = "import sys, text_recognizer.data, text_recognizer.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
