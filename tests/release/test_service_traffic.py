"""The share of failed requests is counted from the page that the service itself makes."""

import pytest
from prometheus_client import generate_latest
from tests.local_server import answering

from text_recognizer.release.http_json import NoAnswerError
from text_recognizer.release.service_traffic import Traffic, read_counters, traffic_of
from text_recognizer.serving.observing import Metrics

ANSWERS = (("/read", 200, 7), ("/read", 503, 2), ("/jobs/{job}/result", 500, 1), ("/corrections", 422, 4))
OF_SUPERVISORS = (("/livez", 200, 900), ("/metrics", 200, 60), ("unknown", 404, 30), ("/drift", 500, 5))


@pytest.fixture
def page():
    """The page of a service that gave these answers."""
    metrics = Metrics()
    for endpoint, status, count in ANSWERS + OF_SUPERVISORS:
        metrics.total.labels(endpoint, status).inc(count)
    return generate_latest(metrics._registry)


def test_requests_for_work_are_counted_by_status_and_those_of_supervisors_are_not(page):
    with answering(lambda _: (200, page)) as (address, came):
        assert traffic_of(f"{address}/") == Traffic(requests=14, failed=3)
    assert [path for path, _ in came] == ["/metrics"]


def test_a_service_that_nobody_asked_has_no_share_of_failures():
    assert (read_counters(""), read_counters("").share) == (Traffic(), 0.0)


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_service_that_does_not_say_is_an_error(status):
    with answering(lambda _: (status, {})) as (address, _), pytest.raises(NoAnswerError):
        traffic_of(address)


@pytest.mark.parametrize(
    ("before", "now", "since"),
    [((10, 1), (14, 3), (4, 2)), ((10, 1), (10, 1), (0, 0)), ((10, 1), (4, 2), (4, 2)), ((10, 3), (12, 1), (12, 1))],
    ids=["more", "the same", "started again", "started again, busier"],
)
def test_what_came_since_the_last_look_is_counted_and_a_new_start_counts_from_nothing(before, now, since):
    counts = [Traffic(requests=requests, failed=failed) for requests, failed in (before, now, since)]
    assert counts[1].after(counts[0]) == counts[2]
