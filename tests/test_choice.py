"""How a fit chooses, what it says meanwhile, and what Ctrl-C leaves."""

import sys

import numpy as np
import pytest
from folded import CENTRAL, S, posed

import jaxmetal as jm
from jaxmetal.chains import Kept, Settings, drive
from jaxmetal.edge import progress
from jaxmetal.fit import chains as chains_of_fits
from jaxmetal.fit import cheapest, hamiltonian, weigh
from jaxmetal.fit.evidence import log_evidence
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.proposals import Proposals, efficiency, pareto_shape, spread
from jaxmetal.fit.refine import tempered
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fit.student import StudentMixture

pytestmark = pytest.mark.usefixtures("optimised")
NUTS = {"method": "nuts", "warmup": 50, "draws": 150, "target_accept": 0.8}
"""One program for all tests."""

LINE = (0.1, 1.0, 0.0, 0.0)
"""One maximum, Gaussian."""


def fitted(**options):
    return jm.fit.auto(*posed(*LINE, loc=0.0, scale=0.5), **{"start_count": 1, "chains": 2, "draws": 100, **options})


def weighed(log_target, mixture, count=4000):
    vectors = mixture.draw(seed_of(1), count)
    ratio = log_target(vectors) - mixture.log_density(vectors)
    return Proposals(mixture, vectors, log_target(vectors), ratio, pareto_shape(ratio))


def ridge(z):
    """z_2 ~ N(z_1^2 / 2, 0.5^2) with z_1 ~ N(0, 1), and an integral of e^3."""
    return 3.0 - np.log(2.0 * np.pi * 0.5) - 0.5 * z[:, 0] ** 2 - 0.5 * ((z[:, 1] - 0.5 * z[:, 0] ** 2) / 0.5) ** 2


def test_the_evidence_is_the_integral_exactly_where_the_gaussian_is_right():
    wide = StudentMixture.single(np.array([0.0, 0.5]), np.diag([1.3, 1.3]))
    gaussian = Laplace(np.zeros(2), np.diag([1.0, 0.5]), ridge(np.zeros((1, 2)))[0])
    proposals = weighed(ridge, wide)
    assert log_evidence(proposals, [gaussian]) == pytest.approx(3.0, abs=0.05)
    apart = [gaussian._replace(mode=np.array([m, 0.0])) for m in (-4.0, 4.0)]
    both = weighed(
        lambda z: np.logaddexp(*[one.log_density(z) for one in apart]),
        StudentMixture.single(np.zeros(2), np.diag([4.0, 1.0])),
    )
    assert log_evidence(both, apart) == pytest.approx(apart[0].log_evidence + np.log(2.0), abs=1e-9)


def test_weights_on_a_few_draws_are_flattened_until_they_tell_a_mixture():
    log_ratio = -np.arange(1000.0)
    assert efficiency(np.exp(log_ratio)) * 1000 < 3
    assert efficiency(tempered(log_ratio, 50.0)) * 1000 >= 50.0
    flat = np.random.default_rng(0).normal(0.0, 0.3, 1000)
    np.testing.assert_allclose(tempered(flat, 50.0), np.exp(flat - flat.max()))
    lost = np.where(np.arange(1000) < 6, log_ratio, -np.inf)
    assert np.count_nonzero(tempered(lost, 50.0)) == 6


def test_chains_are_whitened_by_the_covariance_that_proposals_tell():
    proposals = weighed(ridge, StudentMixture.single(np.array([0.0, 0.5]), np.diag([1.3, 1.3])))
    gaussian = Laplace(np.zeros(2), np.diag([1.0, 0.5]), 0.0)
    factor = spread(proposals, gaussian).factor
    np.testing.assert_allclose(factor @ factor.T, np.diag([1.0, 0.25 + 0.5]), atol=0.12)
    assert spread(weighed(ridge, StudentMixture.single(np.full(2, 9.0), np.eye(2) * 0.1)), gaussian) is None


def counted(states):
    """Chains that count: what is drawn at a step is its number."""
    drawn = {"diverging": np.zeros((2, 5), bool), "place": states[:, None] + np.arange(5)}
    return states + 5, drawn


def test_chains_go_on_until_they_are_enough():
    settings = Settings(chains=2, warmup=7, draws=10)
    short = drive(np.zeros(2, int), counted, settings, 5, progress=False)
    np.testing.assert_array_equal(short["place"], np.tile(np.arange(7, 17), (2, 1)))
    asked = []

    def enough(drawn):
        asked.append(drawn["place"].shape[1])
        return len(asked) == 3

    long = drive(np.zeros(2, int), counted, settings, 5, progress=False, enough=enough)
    assert asked == [10, 20, 30]
    np.testing.assert_array_equal(long["place"], np.tile(np.arange(7, 37), (2, 1)))


def test_the_bar_counts_draws_that_are_kept(monkeypatch):
    """Steps of the warm-up diverge while they adapt, which need not worry anybody."""
    said = []
    monkeypatch.setattr(progress.Lines, "set_postfix_str", lambda bar, text, refresh=True: said.append(text))

    def diverging(states):
        after, drawn = counted(states)
        return after, {**drawn, "diverging": drawn["place"] % 3 == 0}

    drive(np.zeros(2, int), diverging, Settings(chains=2, warmup=10, draws=10), 5)
    assert said == ["warm-up", "warm-up", "2 of 10 draws diverged", "6 of 20 draws diverged"]


def interrupted(after, function):
    """A function that is interrupted in some call."""
    calls = []

    def call(*arguments, **options):
        calls.append(1)
        if len(calls) > after:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return call


def test_ctrl_c_keeps_the_draws_that_there_are(monkeypatch):
    # One call begins the chains, one is the warm-up.
    monkeypatch.setattr(chains_of_fits, "each", interrupted(3, chains_of_fits.each))
    found = fitted(**NUTS, cut_short=True, progress=False)
    assert found.stopped
    assert found.draws[S].shape == (2, 50)
    assert "Stopped by hand after 50 of 150 draws of each chain." in [finding.text for finding in found.findings]
    monkeypatch.setattr(chains_of_fits, "each", interrupted(3, chains_of_fits.each))
    with pytest.raises(KeyboardInterrupt):
        fitted(**NUTS, progress=False)


def test_chains_that_were_stopped_go_on_where_they_were(tmp_path, monkeypatch):
    options = {**NUTS, "progress": False}
    keep, each, calls = Kept(tmp_path / "chains"), chains_of_fits.each, []

    def counted(*arguments, **others):
        calls.append(1)
        return each(*arguments, **others)

    monkeypatch.setattr(chains_of_fits, "each", counted)
    whole = fitted(**options)
    monkeypatch.setattr(chains_of_fits, "each", interrupted(3, each))
    with pytest.raises(KeyboardInterrupt):
        fitted(**options, keep=keep)
    blocks = len(calls) - 1
    monkeypatch.setattr(chains_of_fits, "each", counted)
    calls.clear()
    resumed = fitted(**options, keep=keep._replace(resume=True))
    assert len(calls) == 1 + blocks - 2
    np.testing.assert_array_equal(resumed.draws[S], whole.draws[S])
    calls.clear()
    fitted(**options, seed=1, keep=keep._replace(resume=True))
    assert len(calls) >= 5  # another fit has nothing to go on from


def test_ctrl_c_before_there_are_draws_leaves_the_maximum_and_its_gaussian(monkeypatch):
    monkeypatch.setattr(weigh, "walk", interrupted(0, weigh.walk))
    found = fitted(cut_short=True, progress=False)
    assert found.stopped
    assert found.method == "quick"
    assert "before there were draws" in " ".join(finding.text for finding in found.findings)
    monkeypatch.undo()
    whole = fitted(progress=False)
    assert not whole.stopped
    assert found.draws[S].mean() == pytest.approx(whole.draws[S].mean(), abs=0.3 * whole.draws[S].std())
    assert found.draws[S].std() == pytest.approx(whole.draws[S].std(), rel=0.25)


def test_a_log_is_told_what_is_done_and_how_long_it_takes(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    fitted(**NUTS)
    lines = capsys.readouterr().err.splitlines()
    assert any("Looking for the maximum from 1 start(s)" in line for line in lines)
    assert any(line.startswith("NUTS x 2 chains: 50 of 200 steps, ") and " to go" in line for line in lines)
    assert not any("\r" in line for line in lines)
    fitted()
    assert "LAPLACE chosen: the Laplace approximation has k-hat" in capsys.readouterr().err
    fitted(progress=False)
    assert capsys.readouterr().err == ""


def test_a_terminal_has_bars(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for _ in progress.bar(range(3), desc="rows", unit="row"):
        pass
    assert "\r" in capsys.readouterr().err


def test_nuts_in_the_space_that_proposals_whiten_finds_what_they_find(monkeypatch):
    question = posed(*LINE, loc=0.0, scale=0.5)
    options = {**NUTS, "method": "auto", "start_count": 1, "chains": 2, "progress": False}
    corrected = jm.fit.auto(*question, **options)
    monkeypatch.setattr(cheapest, "TRUSTED", -np.inf)
    monkeypatch.setattr(hamiltonian, "WHITE", -np.inf)
    seen = []
    run = hamiltonian.run

    def watched(problems, which, spaces, seeds, settings, *rest):
        seen.append((spaces[0], settings))
        return run(problems, which, spaces, seeds, settings, *rest)

    monkeypatch.setattr(hamiltonian, "run", watched)
    found = jm.fit.auto(*question, **options)
    ((space, settings),) = seen
    assert found.method == "nuts"
    assert not settings.adapt_mass
    for name, values in corrected.draws.items():
        assert found.draws[name].mean() == pytest.approx(values.mean(), abs=0.3 * values.std())
        assert found.draws[name].std() == pytest.approx(values.std(), rel=0.2)
    assert np.linalg.norm(space.factor[0]) == pytest.approx(corrected.draws[CENTRAL].std() / 0.1, rel=0.15)


@pytest.mark.parametrize("method", ["map", "nuts"])
def test_a_maximum_that_is_left_out_is_reported(method):
    """Of two alike, chains that start at one stay there."""
    question = posed(-0.8, 0.0, 1.0, 0.0, loc=0.2, scale=1.0, truth=1.0)
    found = jm.fit.auto(*question, **{**NUTS, "method": method}, chains=2, progress=False)
    (text,) = [str(finding) for finding in found.findings if "Another maximum" in str(finding)]
    assert "none of the draws" in text
    assert f"'{S}' is -1" in text


def test_a_first_look_has_draws_at_all_maxima():
    question = posed(-0.8, 0.0, 1.0, 0.0, loc=0.2, scale=1.0, truth=1.0)
    found = jm.fit.auto(*question, **{**NUTS, "method": "quick"}, chains=2, progress=False)
    assert 0.2 < np.mean(found.draws[S] > 0.0) < 0.8
    assert not any("Another maximum" in str(finding) for finding in found.findings)
