"""Requests are counted as the client library's own histogram would count them."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from app.api.timings import BOUNDS, Timings

_REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/orders", "/orders/{order_id}"]),
    st.sampled_from([200, 202, 404]),
    st.sampled_from(BOUNDS) | st.floats(0, 10),
)


@given(st.lists(_REQUESTS, max_size=40))
def test_a_page_of_timings(requests: list[tuple[str, str, int, float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    timings = Timings()
    ours.register(timings)
    histogram = Histogram(
        "slipstream_request_seconds",
        "Time from a request's first byte to the end of its answer.",
        ("method", "route", "status"),
        registry=theirs,
        buckets=BOUNDS,
    )
    for method, route, status, seconds in requests:
        timings.observe(method, route, status, seconds)
        histogram.labels(method, route, status).observe(seconds)
    assert generate_latest(ours).splitlines() == _without_birth(generate_latest(theirs))


def _without_birth(page: bytes) -> list[bytes]:
    """Theirs tells beside it when each row was made."""
    return [line for line in page.splitlines() if b"request_seconds_created" not in line]
