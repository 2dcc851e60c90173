"""A poor fit of a sample is done once more, and says so as a number."""

from types import SimpleNamespace

import pytest
from finished import posterior

from jaxmetal.edge.errors import InputError
from jaxmetal.fit import tries
from jaxmetal.fit.method import Options, Solution
from jaxmetal.fit.optimum import Status
from jaxmetal.fit.seeds import seed_of
from jaxmetal.run.rows import row


class Peak:
    """Of which is known whether it was reached."""

    def __init__(self, status):
        self.status = status


def solution(status, method="laplace"):
    return Solution(Peak(status), method, (f"{method.upper()} as asked.",), 0.1, 0.0, {}, None, [])


@pytest.mark.parametrize("again", [solution(Status.CONVERGED, "nuts"), InputError("No maximum.")])
def test_a_second_fit_is_counted(monkeypatch, again):
    found = iter([[solution(Status.CONVERGED), solution(Status.STEPS_USED_UP)], [again]])
    monkeypatch.setattr(tries, "_solved", lambda *_: next(found))
    group = tries.Group([{}, {}], [SimpleNamespace(skeleton={"map": None})] * 2, [seed_of(0), seed_of(1)], {})
    one, other = tries.solved_twice(group, Options("auto", start_count=3))
    assert one.tries == 1
    assert other.tries == (1 if isinstance(again, InputError) else 2)


def test_the_table_reads_no_sentence():
    first, second = posterior(decisions=("Second try, they say.",)), posterior(tries=2)
    assert [row("a", one)["second_try"].value for one in (first, second)] == [False, True]
