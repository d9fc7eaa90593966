"""The names of a package are imported only when they are used."""

import subprocess
import sys

import pytest

import text_recognizer.data
import text_recognizer.models


@pytest.mark.slow
@pytest.mark.parametrize("package", [text_recognizer.data, text_recognizer.models])
def test_every_public_name_exists_and_is_listed(package):
    assert set(package.__all__) <= set(dir(package))
    assert [name for name in package.__all__ if getattr(package, name).__name__ != name] == []


@pytest.mark.parametrize("package", [text_recognizer.data, text_recognizer.models])
def test_an_unknown_name_raises_the_usual_attribute_error(package):
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Nothing'"):
        _ = package.Nothing


def test_importing_the_packages_does_not_import_torch():
    code = "import sys, text_recognizer.data, text_recognizer.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
