"""Random-effects comparison over runs against exact posteriors, closed forms and simulation."""

import math
import pickle

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp
from scipy.stats import beta

from fitting.runs.random_effects import RandomEffects, random_effects

Array = NDArray[np.float64]

INF = math.inf
ABC = ("a", "b", "c")


def decided(winners: list[int], k: int) -> Array:
    """Log evidences (N, K) that leave one model possible on each run."""
    return np.where(np.eye(k)[winners] > 0, -3.0, -INF)


def log_beta(alpha: Array) -> float:
    return float(gammaln(alpha).sum() - gammaln(alpha.sum()))


def exact_two(table: Array) -> tuple[float, float]:
    """Log evidence and expected frequency of the first of two models under a uniform prior.

    The likelihood of r is a polynomial of degree N: Gauss's rule with N + 2 nodes is exact.
    """
    nodes, weights = np.polynomial.legendre.leggauss(len(table) + 2)
    r = 0.5 + 0.5 * nodes
    logs = np.logaddexp(np.log(r)[:, None] + table[:, 0], np.log(1 - r)[:, None] + table[:, 1])
    terms = logs.sum(axis=1) + np.log(0.5 * weights)
    total = float(logsumexp(terms))
    return total, float(np.exp(terms - total) @ r)


def test_one_model_generated_every_run() -> None:
    got = random_effects([[-3.0], [-400.0]], ["only"])
    assert got.frequencies.tolist() == [1.0]
    assert got.exceedance.tolist() == got.protected.tolist() == [1.0]
    assert got.assignments.tolist() == [[1.0], [1.0]]
    assert got.free_energy == pytest.approx(-403.0, rel=1e-14)
    assert got.null_free_energy == pytest.approx(-403.0, rel=1e-14)
    assert got.sentence == "Only only was compared; nothing is decided."


@pytest.mark.parametrize("k", [2, 3, 7])
def test_identical_models_are_equally_frequent(k: int) -> None:
    table = np.tile(np.random.default_rng(k).normal(size=(9, 1)) * 50.0, (1, k))
    got = random_effects(table, [f"m{i}" for i in range(k)])
    for values in (got.frequencies, got.exceedance, got.protected):
        np.testing.assert_allclose(values, 1.0 / k, rtol=0, atol=1e-9)
    np.testing.assert_allclose(got.assignments, 1.0 / k, rtol=0, atol=1e-12)
    # Equal frequencies and free ones explain such runs equally well; the bound is below that.
    assert 0.5 < got.omnibus_risk < 1.0
    assert got.sentence.startswith("Inconclusive: no model")
    assert "share the lead" in got.sentence


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("n", [3, 8, 25])
def test_two_models_against_the_exact_posterior(n: int, spread: float) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        table = rng.normal(size=(n, 2)) * spread - 100.0
        got = random_effects(table, ["a", "b"])
        evidence, frequency = exact_two(table)
        null = float(np.sum(logsumexp(table, axis=1) - math.log(2)))
        gap = evidence - got.free_energy  # the divergence of the approximation from the posterior
        assert gap > -1e-9
        # A total variation of at most sqrt(gap / 2), by Pinsker, bounds every expectation of a
        # number in [0, 1].
        assert abs(got.frequencies[0] - frequency) <= math.sqrt(max(gap, 0.0) / 2) + 1e-9
        assert got.null_free_energy == pytest.approx(null, abs=1e-9)
        assert got.omnibus_risk >= 1.0 / (1.0 + math.exp(evidence - null)) - 1e-12
        assert got.n_runs == n


@pytest.mark.parametrize("decisive", [8.0, 15.0, 25.0])
def test_decisive_evidences_are_counted(decisive: float) -> None:
    rng = np.random.default_rng(0)
    for n in (4, 12, 40):
        winners = rng.integers(2, size=n)
        table = rng.normal(size=(n, 1)) + decisive * np.eye(2)[winners]
        got = random_effects(table, ["a", "b"])
        count = int(np.sum(winners == 0))
        # exp of the expected log odds of frequencies is at most exp(H_N), that of the exact
        # predictive odds at most N: neither moves a run by more than that times the odds against.
        harmonic = float(np.sum(1.0 / np.arange(1, n + 1)))
        wrong = math.exp(harmonic - decisive)
        assert abs(got.frequencies[0] - (1 + count) / (n + 2)) < wrong
        assert abs(got.frequencies[0] - exact_two(table)[1]) < wrong + n * math.exp(-decisive)
        assert got.n_assigned("a") == count


def test_the_limit_of_decisive_evidences_is_conjugate() -> None:
    winners = [0, 2, 0, 0, 1, 0, 0]
    got = random_effects(decided(winners, 3), ABC, concentration=0.7)
    counts = np.array([5.0, 1.0, 1.0])
    alpha, prior = 0.7 + counts, np.full(3, 0.7)
    np.testing.assert_allclose(got.concentrations, alpha, rtol=1e-12)
    np.testing.assert_allclose(got.frequencies, alpha / alpha.sum(), rtol=1e-12)
    np.testing.assert_allclose(got.lower, beta.ppf(0.025, alpha, alpha.sum() - alpha), rtol=1e-9)
    np.testing.assert_allclose(got.upper, beta.ppf(0.975, alpha, alpha.sum() - alpha), rtol=1e-9)
    np.testing.assert_array_equal(got.assignments, np.eye(3)[winners])
    evidence = log_beta(alpha) - log_beta(prior) - 3.0 * 7
    assert got.free_energy == pytest.approx(evidence, abs=1e-10)
    assert got.null_free_energy == pytest.approx(-7 * math.log(3) - 21.0, abs=1e-10)
    risk = 1.0 / (1.0 + math.exp(evidence + 7 * math.log(3) + 21.0))
    assert got.omnibus_risk == pytest.approx(risk, rel=1e-9)
    np.testing.assert_allclose(got.protected, got.exceedance * (1 - risk) + risk / 3, rtol=1e-12)


def test_only_differences_within_a_run_matter() -> None:
    rng = np.random.default_rng(3)
    table, shift = rng.normal(size=(9, 3)) * 2.0, rng.normal(size=(9, 1)) * 1e4
    a, b = random_effects(table, ABC), random_effects(table + shift, ABC)
    for name in ("concentrations", "lower", "upper", "assignments", "exceedance", "protected"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=1e-7)
    assert b.free_energy - a.free_energy == pytest.approx(float(shift.sum()), abs=1e-6)
    assert b.omnibus_risk == pytest.approx(a.omnibus_risk, abs=1e-7)


def test_order_of_models_and_of_runs_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(10, 5)) * 2.0
    names = np.array(list("abcde"))
    of = dict(zip(names, ["x", "x", "y", "y", "y"], strict=True))
    models, runs = np.array([3, 0, 4, 1, 2]), rng.permutation(10)
    a = random_effects(table, names, families=of)
    b = random_effects(table[runs][:, models], names[models], families=of)
    for name in ("concentrations", "lower", "upper", "exceedance", "protected"):
        np.testing.assert_allclose(getattr(a, name)[models], getattr(b, name), atol=1e-7)
    np.testing.assert_allclose(a.assignments[runs][:, models], b.assignments, atol=1e-7)
    assert a.omnibus_risk == pytest.approx(b.omnibus_risk, abs=1e-9)
    assert a.families is not None and b.families is not None
    assert b.families.models == ("y", "x")
    np.testing.assert_allclose(a.families.protected[::-1], b.families.protected, atol=1e-7)


def test_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    replicates, covered = 600, np.zeros(3)
    for _ in range(replicates):
        truth = rng.dirichlet(np.ones(3))
        table = 40.0 * np.eye(3)[rng.choice(3, size=15, p=truth)]
        got = random_effects(table, ABC)
        covered += (got.lower <= truth) & (truth <= got.upper)
    error = math.sqrt(0.95 * 0.05 / replicates)
    assert np.all(np.abs(covered / replicates - 0.95) < 3.5 * error)


def exact_families(table: Array, prior: Array, member: Array) -> tuple[Array, float, float]:
    """Expected frequencies, and log evidences of free and of equal families, by enumeration.

    Expands ∏_n Σ_k r_k e_nk into counts of runs for each model; their Dirichlet integrals are
    known, also with the frequencies of families fixed.
    """
    k = len(prior)
    terms = {(0,) * k: 0.0}
    for row in table:
        grown: dict[tuple[int, ...], float] = {}
        for counts, value in terms.items():
            for i in range(k):
                key = (*counts[:i], counts[i] + 1, *counts[i + 1 :])
                grown[key] = float(np.logaddexp(grown.get(key, -INF), value + row[i]))
        terms = grown
    alpha = prior + np.array(list(terms))
    logs = np.array(list(terms.values()))
    free = logs + [log_beta(a) - log_beta(prior) for a in alpha]
    equal = logs - len(table) * math.log(member.shape[1])
    for group in member.T.astype(bool):
        equal = equal + [log_beta(a[group]) - log_beta(prior[group]) for a in alpha]
    total = float(logsumexp(free))
    means = np.exp(free - total) @ (alpha / alpha.sum(axis=1)[:, None])
    return means @ member, total, float(logsumexp(equal))


def test_families_of_one_are_their_models() -> None:
    table = np.random.default_rng(9).normal(size=(8, 3)) * 2.0
    got = random_effects(table, ABC, families={"a": "x", "b": "y", "c": "z"})
    assert got.families is not None
    assert got.families.models == ("x", "y", "z")
    for name in ("concentrations", "frequencies", "assignments", "protected"):
        np.testing.assert_allclose(getattr(got.families, name), getattr(got, name), atol=1e-9)
    assert got.families.omnibus_risk == pytest.approx(got.omnibus_risk, rel=1e-9)


@pytest.mark.parametrize("n_first", [8, 7, 5])
def test_duplicates_in_a_family_change_nothing_about_families(n_first: int) -> None:
    """Where runs tell families but not the models within, families are counted exactly."""
    names = ("a1", "a2", "a3", "b1", "b2", "b3")
    table = np.zeros((8, 6))
    table[:n_first, 3:] = -INF
    table[n_first:, :3] = -INF
    got = random_effects(table, names, families={name: name[0] for name in names}).families
    want = random_effects(table[:, ::3], ["a", "b"])
    assert got is not None
    np.testing.assert_allclose(got.concentrations, want.concentrations, rtol=1e-9)
    np.testing.assert_allclose(got.protected, want.protected, rtol=1e-9)
    assert got.omnibus_risk == pytest.approx(want.omnibus_risk, rel=1e-9)


@pytest.mark.parametrize("spread", [1.0, 3.0, 8.0])
def test_families_against_the_exact_posterior(spread: float) -> None:
    rng = np.random.default_rng(11)
    names, of = ("a", "b1", "b2", "b3"), {"a": "a", "b1": "b", "b2": "b", "b3": "b"}
    member = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    prior = np.array([1.0, 1 / 3, 1 / 3, 1 / 3])
    for _ in range(5):
        table = rng.normal(size=(8, 4)) * spread
        got = random_effects(table, names, families=of).families
        assert got is not None
        np.testing.assert_allclose(got.prior, [1.0, 1.0], rtol=1e-12)
        frequency, free, equal = exact_families(table, prior, member)
        assert got.free_energy <= free + 1e-9
        assert got.null_free_energy <= equal + 1e-9
        tolerance = math.sqrt((free - got.free_energy) / 2)
        assert np.all(np.abs(got.frequencies - frequency) <= tolerance)


def test_impossible_models_get_no_runs() -> None:
    got = random_effects([[0.0, -INF, -1.0], [-2.0, -INF, 0.0], [-INF, -INF, -700.0]], ABC)
    assert np.all(got.assignments[:, 1] == 0.0)
    assert got.concentrations[1] == 1.0
    assert got.assignments[2].tolist() == [0.0, 0.0, 1.0]
    assert math.isfinite(got.free_energy)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[0.0, 1.0], [None, 2.0]], r"log evidence of a on run 1 is missing"),
        ([[0.0, 1.0], [1.0, math.nan]], r"log evidence of b on run 1 is missing"),
        ([[0.0, INF]], r"that of b on run 0 is not"),
        ([[0.0, 1.0], [-INF, -INF]], r"every model is impossible on run 1"),
        ([[0.0, 1.0, 2.0]], r"run 0 has 3 for 2 models"),
        ([], r"got 0 runs, 2 models"),
    ],
)
def test_unusable_evidences_are_named(table: list[list[float | None]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_effects(table, ["a", "b"])


def test_names_and_priors_are_checked() -> None:
    table = [[0.0, 1.0]]
    with pytest.raises(ValueError, match="given twice: .'a'."):
        random_effects(table, ["a", "a"])
    with pytest.raises(ValueError, match="1 rows for 2 runs"):
        random_effects(table, ["a", "b"], runs=["x", "y"])
    with pytest.raises(ValueError, match="log evidence of b on seed 3"):
        random_effects([[0.0, None]], ["a", "b"], runs=["seed 3"])
    with pytest.raises(ValueError, match="family of every model"):
        random_effects(table, ["a", "b"], families={"a": "x"})
    with pytest.raises(ValueError, match="concentration must be positive"):
        random_effects(table, ["a", "b"], concentration=0.0)


def sentence_of(winners: list[int]) -> RandomEffects:
    return random_effects(decided(winners, 2), ["logistic", "hill"])


def test_sentences_say_what_is_supported() -> None:
    # Counts 10 and 1: risk 1 / (1 + 2^11 / 132), exceedance 1 - 13 / 2^12, frequency 11/13.
    clear = sentence_of([0] * 10 + [1])
    assert clear.sentence == (
        "logistic generated more runs than any other model with protected exceedance probability "
        "0.966 (10 of 11 runs assigned to it; expected frequency 0.85, 95 % interval 0.62 to 0.98)."
    )
    assert clear.doubts == ()
    split = sentence_of([0, 0, 1])
    assert split.sentence.startswith(
        "Inconclusive: no model generated more runs than every other with protected exceedance "
        "probability 0.95; logistic comes closest with 0."
    )
    assert "(2 of 3 runs assigned to it)" in split.sentence


def test_too_few_runs_are_said() -> None:
    """Of two models, 7 runs that agree are the fewest that reach 0.95.

    Risk 1 / (1 + 2^n / (n + 1)) and exceedance 1 - 2^-(n+1) give 0.944 for 6 and 0.967 for 7.
    """
    six, seven = sentence_of([0] * 6), sentence_of([0] * 7)
    risk = 1 / (1 + 2**6 / 7)
    assert six.protected[0] == pytest.approx((1 - 2**-7) * (1 - risk) + risk / 2, rel=1e-12)
    assert six.protected[0] < 0.95 < seven.protected[0]
    assert any("With 6 runs" in doubt and "takes 7" in doubt for doubt in six.doubts)
    assert seven.doubts == ()


def test_equal_frequencies_and_unclear_runs_are_doubts() -> None:
    even = sentence_of([0, 1] * 5)
    assert even.omnibus_risk > 0.25
    assert any("may all be equal" in doubt for doubt in even.doubts)
    assert len(even.doubts) == 1
    unclear = random_effects([[0.2, 0.0], [0.0, 0.2], [0.0, 9.0]] * 4, ["a", "b"])
    assert any("8 of 12 runs do not name a model on their own" in doubt for doubt in unclear.doubts)


def test_arrays_are_locked_and_survive_pickling() -> None:
    got = random_effects([[0.0, 2.0]] * 4, ["a", "b"], families={"a": "x", "b": "y"})
    again = pickle.loads(pickle.dumps(got))
    for one in (got, again):
        with pytest.raises(ValueError, match="read-only"):
            one.frequencies[0] = 1.0
    np.testing.assert_array_equal(got.protected, again.protected)
    assert again.families.models == ("x", "y")
