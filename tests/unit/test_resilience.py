"""Backoff grows and stays bounded; the breaker opens, rests, and tries once."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from domain.errors import StorageUnavailableError
from domain.resilience import Backoff, BreakerState, CircuitBreaker, TokenBuckets
from tests.fakes import FakeClock
from tests.makers import make_guard


@given(attempt=st.integers(1, 10_000), seed=st.integers())
def test_a_wait_is_never_longer_than_the_longest_nor_shorter_than_half_of_the_first(
    attempt: int, seed: int
) -> None:
    wait = Backoff(first=0.2, longest=10.0).wait(attempt, Random(seed))
    assert 0.1 <= wait <= 10.0


class NoJitter(Random):
    @override
    def uniform(self, a: float, b: float) -> float:
        return b


def test_waits_double_until_the_longest() -> None:
    backoff, no_jitter = Backoff(first=1.0, longest=8.0), NoJitter()
    assert [backoff.wait(n, no_jitter) for n in (1, 2, 3, 4, 5)] == [1, 2, 4, 8, 8]


def test_the_breaker_opens_after_five_failures_and_lets_one_try_after_thirty_seconds() -> None:
    breaker = CircuitBreaker()
    for _ in range(4):
        breaker.failed(now=100.0)
    assert breaker.state(100.0) is BreakerState.CLOSED
    breaker.failed(now=100.0)
    assert breaker.state(129.9) is BreakerState.OPEN
    assert breaker.wait(110.0) == 20.0
    assert breaker.state(130.0) is BreakerState.HALF_OPEN
    breaker.failed(now=130.0)
    assert breaker.state(131.0) is BreakerState.OPEN
    breaker.succeeded()
    assert breaker.state(131.0) is BreakerState.CLOSED


async def test_a_guard_insists_until_it_goes_well_and_tells_every_failure() -> None:
    told: list[tuple[str, float]] = []
    clock = FakeClock(automatic=True)
    guard = make_guard(clock, failed=lambda name, _error, seconds: told.append((name, seconds)))
    outcomes = [StorageUnavailableError("away")] * 7 + [None]

    async def call() -> str:
        if error := outcomes.pop(0):
            raise error
        return "stored"

    assert await guard.insist(call) == "stored"
    assert len(told) == 7
    assert [seconds for _, seconds in told][4:] == pytest.approx([30.0, 30.0, 30.0])
    assert guard.state is BreakerState.CLOSED
    assert guard.last_error is None


def test_a_bucket_gives_a_burst_and_then_what_its_rate_fills() -> None:
    buckets = TokenBuckets(rate=2.0, burst=3.0)

    assert [buckets.wait("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.wait("b", 0.0) == 0.0
    assert buckets.wait("a", 0.25) == 0.25
    assert buckets.wait("a", 0.5) == 0.0
    assert [buckets.wait("a", 100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.refused == 3


@given(
    rate=st.floats(0.5, 100.0),
    steps=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=200),
)
def test_nobody_gets_more_than_the_burst_and_what_the_time_gave(
    rate: float, steps: list[float]
) -> None:
    buckets, now, got = TokenBuckets(rate=rate, burst=5.0), 0.0, 0
    for step in steps:
        now += step
        wait = buckets.wait("a", now)
        got += wait == 0.0
        assert wait <= 1.0 / rate
    assert got <= 5.0 + now * rate + 1e-6


def test_callers_are_forgotten_beyond_the_limit_the_longest_silent_first() -> None:
    buckets = TokenBuckets(rate=1.0, burst=1.0, most=2)
    for caller in ("a", "b", "a", "c"):
        buckets.wait(caller, 0.0)

    assert buckets.callers == 2
    assert buckets.wait("a", 0.0) > 0.0
    assert buckets.wait("b", 0.0) == 0.0
