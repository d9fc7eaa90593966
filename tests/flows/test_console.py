import io

from flows.console import CLEAR_LINE, Console


def test_without_a_terminal_a_bar_is_said_only_now_and_then():
    said: list[str] = []
    seldom = Console(said.append, every=3600)
    seldom.show("1%", finished=False)
    seldom.show("done", finished=True)
    often = Console(said.append, every=0)
    often.show("2%", finished=False)
    assert said == ["done", "2%"]


def test_on_a_terminal_a_bar_is_drawn_in_place_and_taken_away_before_the_next_line():
    said: list[str] = []
    screen = io.StringIO()
    console = Console(said.append, screen)
    console.show("1%", finished=False)
    console.show("done", finished=True)
    assert screen.getvalue() == f"{CLEAR_LINE}1%{CLEAR_LINE}"
    assert said == ["done"]
