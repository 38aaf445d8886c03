"""The agenda against the plainest thing that does the same: a dict."""

from hypothesis import given
from hypothesis import strategies as st

from app.engine.agenda import Agenda

NAMES = ["a", "b", "c"]
steps = st.one_of(
    st.tuples(st.just("push"), st.sampled_from(NAMES), st.integers(0, 9)),
    st.tuples(st.just("forget"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.just("pop"), st.just(""), st.integers(0, 9)),
)


class Naive:
    """One due time an order, and who was pushed first."""

    def __init__(self) -> None:
        self.due: dict[str, tuple[int, int]] = {}
        self.count = 0

    def push(self, name: str, at: int) -> None:
        self.count += 1
        self.due[name] = (at, self.count)

    def pop(self, now: int) -> list[str]:
        names = sorted(
            (n for n, (at, _) in self.due.items() if at <= now), key=self.due.__getitem__
        )
        for name in names:
            del self.due[name]
        return names


@given(st.lists(steps, max_size=60))
def test_the_newest_push_wins(done: list[tuple[str, str, int]]) -> None:
    agenda, naive = Agenda(), Naive()
    for verb, name, at in done:
        if verb == "push":
            agenda.push(name, at)
            naive.push(name, at)
        elif verb == "forget":
            agenda.forget(name)
            naive.due.pop(name, None)
        else:
            assert agenda.pop(at) == naive.pop(at)
        assert agenda.next_at() == min((at for at, _ in naive.due.values()), default=None)


def test_a_later_time_replaces_an_earlier_one() -> None:
    agenda = Agenda()
    agenda.push("a", 5)
    agenda.push("a", 9)
    assert agenda.pop(8) == []
    assert agenda.next_at() == 9
    assert agenda.pop(9) == ["a"]
    assert agenda.pop(99) == []
    assert agenda.next_at() is None
