"""A client that is too greedy, too slow or gone costs the others nothing, and is told when to try again."""

import asyncio
import contextlib
import threading
import time

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from text_recognizer.serving.limits import BodyLimit, RequestCount
from text_recognizer.serving.problems import CLIENT_GONE, RequestError
from text_recognizer.serving.work import Task, Turns, finish

WAIT = 10.0


@pytest.fixture
def slow():
    """An application whose requests take until `let_go` is set."""
    let_go = asyncio.Event()

    async def wait(request):
        await request.body()
        await let_go.wait()
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/", wait, methods=["POST"])])
    app.state.let_go = let_go
    return app


def client_of(app, address="10.0.0.1"):
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://service")


async def post_all(app, addresses):
    """Send a request from each address at a time. Return the answers after those that are refused at once."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(app, address)) for address in addresses]
        tasks = [asyncio.create_task(client.post("/", content=b"x")) for client in clients]
        await asyncio.sleep(0.1)
        app.app.state.let_go.set()
        return await asyncio.gather(*tasks)


def test_one_address_may_have_only_so_many_requests_and_others_are_answered(slow):
    app = RequestCount(slow, at_once=9, of_client=2)
    answers = asyncio.run(post_all(app, ["10.0.0.1"] * 3 + ["10.0.0.2"]))
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    assert int(answers[2].headers["retry-after"]) > 0


def test_the_server_takes_only_so_many_requests_at_a_time(slow):
    app = RequestCount(slow, at_once=2, of_client=2)
    answers = asyncio.run(post_all(app, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]))
    assert [answer.status_code for answer in answers] == [200, 200, 503]
    assert int(answers[2].headers["retry-after"]) > 0


def test_a_refused_client_may_send_its_body_to_the_end(slow):
    """A client that is still sending when the connection closes would not see the answer."""
    sent = []

    async def run():
        async def body():
            for number in range(3):
                sent.append(number)
                yield b"x" * 1000

        async with client_of(RequestCount(slow, at_once=0, of_client=1)) as client:
            return await client.post("/", content=body())

    assert asyncio.run(run()).status_code == 503
    assert sent == [0, 1, 2]


def test_a_request_that_is_done_makes_room(slow):
    app = RequestCount(slow, at_once=1, of_client=1)
    slow.state.let_go.set()

    async def twice():
        async with client_of(app) as client:
            return [(await client.post("/", content=b"x")).status_code for _ in range(2)]

    assert asyncio.run(twice()) == [200, 200]


def test_a_body_that_stops_arriving_is_refused():
    async def read(request):
        await request.body()
        return PlainTextResponse("done")

    async def send():
        async def trickle():
            yield b"x"
            await asyncio.sleep(WAIT)

        app = Starlette(routes=[Route("/", read, methods=["POST"])])
        async with client_of(BodyLimit(app, idle_seconds=0.1)) as client:
            return await client.post("/", content=trickle())

    start = time.monotonic()
    answer = asyncio.run(send())
    assert answer.status_code == 408
    assert time.monotonic() - start < WAIT / 2


def request_that_ends(gone: asyncio.Event) -> Request:
    """Return a request whose client closes it when `gone` is set."""

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


class Steps:
    """Work of many short steps, which counts those that were done."""

    def __init__(self, task: Task) -> None:
        self.task, self.done, self.begun = task, 0, threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        for _ in range(200):
            self.task.check()
            time.sleep(0.02)
            self.done += 1
        return "done"


async def run_until(gone_after, seconds):
    """Run the steps for a client that waits `gone_after` seconds, with `seconds` of time.

    Return the status of the error, how many steps were done, and how long the next request waits for its turn.
    """
    gone, turns, task = asyncio.Event(), Turns(), Task(seconds)
    steps = Steps(task)
    asyncio.get_running_loop().call_later(gone_after, gone.set)
    with pytest.raises(RequestError) as caught:
        await finish(request_that_ends(gone), task, turns.take(steps))
    done = steps.done
    # The next request has its turn as soon as the step that was running has ended.
    begin = time.monotonic()
    await turns.take(lambda: None)
    return caught.value.status_code, done, time.monotonic() - begin


@pytest.mark.parametrize(("gone_after", "seconds", "status"), [(0.1, 60, CLIENT_GONE), (60, 0.1, 503)])
def test_work_that_nobody_waits_for_ends_at_its_next_step(gone_after, seconds, status):
    found, done, waited = asyncio.run(run_until(gone_after, seconds))
    assert found == status
    assert done < 100
    assert waited < 1


def test_a_request_whose_client_left_before_its_turn_is_not_begun():
    async def run():
        gone, turns, free = asyncio.Event(), Turns(), threading.Event()
        first = asyncio.ensure_future(turns.take(lambda: free.wait(WAIT)))
        task = Task()
        steps = Steps(task)
        gone.set()
        with pytest.raises(RequestError):
            await finish(request_that_ends(gone), task, turns.take(steps))
        free.set()
        await first
        await turns.take(lambda: None)
        return steps.begun.is_set()

    assert asyncio.run(run()) is False


def test_work_is_done_in_the_order_of_arrival():
    async def run():
        turns, order = Turns(), []
        await asyncio.gather(*(turns.take(lambda number=number: order.append(number)) for number in range(5)))
        return order

    assert asyncio.run(run()) == [0, 1, 2, 3, 4]


def test_a_page_is_given_up_between_its_steps(application, handwriting):
    """The reader itself asks between its steps whether anybody still waits."""
    recognizer, steps = application().state.served.recognizer, []

    def check():
        steps.append(None)
        if len(steps) == 2:
            raise RequestError(CLIENT_GONE, "the client closed the request")

    with pytest.raises(RequestError):
        recognizer.read(handwriting, check=check)
    assert len(steps) == 2


def test_an_overdue_request_is_answered_with_when_to_try_again(application, handwriting):
    answer = TestClient(application(seconds=0.0)).post("/read", files={"picture": handwriting.read_bytes()})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
