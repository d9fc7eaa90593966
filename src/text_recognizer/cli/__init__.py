"""The command line: one module for each group of commands. A function is a command; heavy imports stay inside it."""

from text_recognizer.cli.entry_point import main

__all__ = ["main"]
