"""The rate budget: what it keeps to, whatever MaintainX announces."""

import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.maintainx.pacing import DOCUMENTED_WINDOW, LONGEST_WAIT, MARGIN, Budget, OnWait, number, silent


class Clock:
    """Monotonic seconds that pass only when someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


@dataclass
class Limiter:
    """MaintainX's side: a fixed window that counts everybody's requests."""

    clock: Clock
    limit: int = 100
    window: float = 60.0
    phase: float = 0.0
    latency: float = 0.0
    rounding: Callable[[float], int] = math.ceil
    others: Callable[[int], int] = lambda _window: 0
    ours: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self) -> dict[str, str]:
        """Count one request and return the headers of its answer, which arrives after the latency."""
        with self.lock:
            self.clock.now += self.latency / 2
            n = int((self.clock.now - self.phase) // self.window)
            self.ours[n] += 1
            left = self.limit - self.ours[n] - self.others(n)
            self.refused += left < 0
            reset = self.rounding((n + 1) * self.window + self.phase - self.clock.now)
            self.clock.now += self.latency / 2
            return headers(self.limit, max(0, left), reset)


def headers(limit: object, remaining: object, reset: object) -> dict[str, str]:
    told = {"x-rate-limit-limit": limit, "x-rate-limit-remaining": remaining, "x-rate-limit-reset": reset}
    return {name: str(value) for name, value in told.items() if value is not None}


def budget(clock: Clock, share: float = 0.8, on_wait: OnWait = silent) -> Budget:
    return Budget(share, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5, on_wait=on_wait)


def send(budget: Budget, answer: dict[str, str]) -> None:
    with budget.permit() as permit:
        permit.observe(answer)


@given(
    limit=st.integers(1, 120),
    share=st.sampled_from([0.1, 0.5, 0.8, 1.0]),
    latency=st.sampled_from([0.0, 0.3, 1.5, 7.0]),
    phase=st.floats(0, 59),
    rounding=st.sampled_from([math.ceil, math.floor, round]),
)
def test_a1_no_window_gets_more_than_the_share_and_none_is_refused(limit, share, latency, phase, rounding):
    clock = Clock()
    server = Limiter(clock, limit, phase=phase, latency=latency, rounding=rounding)
    pace = budget(clock, share)
    for _ in range(150):
        with pace.permit() as permit:
            permit.observe(server.answer())
    assert max(server.ours.values()) <= max(1, math.floor(limit * share))
    assert server.refused == 0
    assert max(clock.slept, default=0) <= 60 + MARGIN + 1 + latency


@given(taken=st.lists(st.integers(0, 120), min_size=30, max_size=30))
def test_what_others_take_is_left_to_them_and_one_request_a_window_goes_through(taken):
    clock = Clock()
    server = Limiter(clock, 100, others=lambda n: taken[n % 30])
    pace = budget(clock)
    for _ in range(40):
        with pace.permit() as permit:
            permit.observe(server.answer())
    for window, ours in server.ours.items():
        assert ours <= max(1, 80 - taken[window % 30])


NONSENSE = st.sampled_from([None, "", "soon", "-5", "nan", "inf", "1e9", "1000000000", "0", "0.5", "7", "99"])


@given(answers=st.lists(st.tuples(NONSENSE, NONSENSE, NONSENSE), min_size=1, max_size=20))
def test_a1_nonsense_in_the_headers_never_stops_it_and_never_makes_it_wait_for_long(answers):
    clock = Clock()
    pace = budget(clock)
    for answer in answers * 3:
        send(pace, headers(*answer))
    assert all(seconds <= LONGEST_WAIT for seconds in clock.slept)


@pytest.mark.parametrize(
    ("reset", "wait"),
    [("30", 30 + MARGIN + 0.5), ("0", MARGIN + 0.5), ("-7", MARGIN + 0.5), ("1000000000", 120), ("soon", DOCUMENTED_WINDOW + 1.5)],
)
def test_a1_it_waits_until_reset_and_a_bit_when_nothing_remains(reset, wait):
    clock = Clock()
    pace = budget(clock)
    send(pace, headers(100, 0, reset))
    send(pace, headers(100, 99, 60))
    assert clock.slept == [wait]


def test_a1_a_429_makes_all_wait_as_long_as_it_says():
    clock = Clock()
    pace = budget(clock)
    with pace.permit() as permit:
        permit.refused(10)
    send(pace, headers(100, 99, 60))
    assert clock.slept == [10 + MARGIN + 0.5]


def test_a2_a_limit_that_drops_within_a_window_counts_at_once():
    clock = Clock()
    pace = budget(clock)
    for n in range(20):
        send(pace, headers(100, 99 - n, 60))
    assert clock.slept == []
    send(pace, headers(10, None, 50))
    send(pace, headers(10, 9, 60))
    assert clock.slept == [50 + MARGIN + 0.5]


def test_without_announced_limits_nothing_is_paced():
    clock = Clock()
    pace = budget(clock)
    for _ in range(1000):
        send(pace, {})
    assert clock.slept == []


def test_each_wait_is_told_once_with_its_reason():
    clock = Clock()
    said: list[tuple[float, str]] = []
    pace = budget(clock, on_wait=lambda seconds, why: said.append((seconds, why)))
    send(pace, headers(100, 20, 30))
    send(pace, headers(100, 20, 30))
    send(pace, headers(100, 99, 30))
    assert said == [(31.5, "the rate limit of MaintainX")] * 2


def test_before_the_first_answer_requests_go_one_at_a_time():
    pace = budget(Clock())
    order: list[str] = []
    first_is_out = threading.Event()

    def second() -> None:
        first_is_out.wait(5)
        with pace.permit():
            order.append("second sent")

    thread = threading.Thread(target=second)
    thread.start()
    with pace.permit() as permit:
        first_is_out.set()
        thread.join(0.05)
        order.append("first answered")
        permit.observe(headers(100, 99, 60))
    thread.join(5)
    assert order == ["first answered", "second sent"]


def test_requests_under_way_count_as_used_though_the_answer_does_not_know_of_them():
    clock = Clock()
    pace = budget(clock)
    send(pace, headers(10, 5, 60))
    with pace.permit() as one, pace.permit():
        one.observe(headers(10, 3, 60))
        send(pace, headers(10, 9, 60))
    assert clock.slept == [60 + MARGIN + 0.5]


def test_a_late_answer_from_the_window_before_tells_nothing_of_this_one():
    clock = Clock()
    pace = budget(clock)
    send(pace, headers(100, 99, 60))
    with pace.permit() as late:
        clock.now += 62
        send(pace, headers(100, 99, 60))
        late.observe(headers(100, 20, 0))
        send(pace, headers(100, 98, 60))
    assert clock.slept == []


def test_a_request_that_never_got_an_answer_lets_the_next_one_ask():
    pace = budget(Clock())
    with pytest.raises(ConnectionError), pace.permit():
        raise ConnectionError
    send(pace, headers(100, 99, 60))


def test_a1_four_threads_together_keep_to_the_share():
    clock = Clock()
    server = Limiter(clock, 20, latency=0.4)
    pace = budget(clock)

    def read() -> None:
        for _ in range(50):
            with pace.permit() as permit:
                permit.observe(server.answer())

    threads = [threading.Thread(target=read, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert sum(server.ours.values()) == 200
    assert max(server.ours.values()) <= 16
    assert server.refused == 0


@pytest.mark.parametrize("share", [0, -1, 1.01])
def test_a_share_that_makes_no_sense_is_refused(share):
    with pytest.raises(ValueError, match="RATE_SHARE"):
        Budget(share)


@pytest.mark.parametrize(("text", "value"), [("7", 7.0), ("-1", 0.0), ("soon", None), (None, None), ("inf", None), ("nan", None)])
def test_a_header_is_a_number_or_nothing(text, value):
    assert number(text) == value
