"""Finished lines reach the log; a progress bar is redrawn in a terminal, and rarely logged without one."""

import io

from flows.console import CLEAR_LINE, Console


def test_without_a_terminal_a_progress_bar_is_logged_only_from_time_to_time():
    logged: list[str] = []
    rarely = Console(logged.append, every=3600)
    rarely.show("1%", finished=False)
    rarely.show("done", finished=True)
    often = Console(logged.append, every=0)
    often.show("2%", finished=False)
    assert logged == ["done", "2%"]


def test_in_a_terminal_a_progress_bar_is_drawn_in_place_and_removed_before_the_next_line():
    logged: list[str] = []
    screen = io.StringIO()
    console = Console(logged.append, screen)
    console.show("1%", finished=False)
    console.show("done", finished=True)
    assert screen.getvalue() == f"{CLEAR_LINE}1%{CLEAR_LINE}"
    assert logged == ["done"]
