"""The command line, run in this process."""

import os
import signal

import pytest

from text_recognizer.cli import main


@pytest.fixture
def command(folder, capsys, monkeypatch):
    """Run the command line in the module's `folder`, and return its status, output and errors."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return ended.value.code, said.out, said.err

    yield run
    signal.signal(signal.SIGTERM, handler)
