import math

import numpy as np
import pytest
from scipy.stats import binom, ks_2samp

from empirics.perceptron import PerceptronCell, perceptron_onsets, train_perceptrons
from empirics.perceptron_events import mistakes_of, rewarded
from theory.curve import Origin, Progress
from theory.ladder import Ladder


def cells_of_every_kind():
    """Return small cells that together go through every branch of training."""
    return [
        PerceptronCell(1, dimension=3),
        PerceptronCell(3, 3.0, dimension=6, initial_alignment=-0.1),
        PerceptronCell(2, 0.7, dimension=12, initial_squared_norm=0.5),
        PerceptronCell(4, 1.5, dimension=6, n_mistakes=2),
    ]


def trained_on_inputs(cell, episodes, n_runs, seed):
    """Return alignments (n_runs, episodes + 1) of students with weights, each input drawn."""
    rng = np.random.default_rng(seed)
    n = cell.dimension
    teacher = np.zeros(n)
    teacher[0] = math.sqrt(n)
    w = np.zeros((n_runs, n))
    length = math.sqrt(n * cell.initial_squared_norm)
    w[:, 0] = length * cell.initial_alignment
    w[:, 1] = length * math.sqrt(1 - cell.initial_alignment**2)
    kept = np.empty((n_runs, episodes + 1))
    for episode in range(episodes + 1):
        kept[:, episode] = w @ teacher / np.linalg.norm(w, axis=1) / math.sqrt(n)
        right, move = np.zeros(n_runs), np.zeros((n_runs, n))
        for _ in range(cell.n_decisions):
            x = rng.normal(size=(n_runs, n))
            answer = np.sign(np.sum(w * x, axis=1))
            right += answer == np.sign(x @ teacher)
            move += answer[:, None] * x
        pays = right >= cell.n_decisions - cell.n_mistakes
        w = w + pays[:, None] * cell.learning_rate / cell.n_decisions / math.sqrt(n) * move
    return kept


@pytest.mark.parametrize("cell", cells_of_every_kind(), ids=lambda cell: cell.label)
def test_runs_are_distributed_as_if_every_input_were_drawn(cell):
    episodes, n_runs = 40, 2000
    runs = train_perceptrons([cell], range(n_runs), updates=episodes)
    theirs = trained_on_inputs(cell, episodes, n_runs, seed=2)
    t = runs[0].curve("alignment").t.astype(int)
    ours = np.array([run.curve("alignment").y for run in runs])
    for episode in (1, 5, 17, 40):
        mine = ours[:, np.searchsorted(t, episode)].round(9)
        assert episode in t
        assert ks_2samp(mine, theirs[:, episode].round(9), method="asymp").pvalue > 1e-3
    crossed = theirs >= 0.5
    first = np.where(crossed.any(axis=1), np.argmax(crossed, axis=1), np.inf)
    onsets = perceptron_onsets(cell, n_runs, 0, episodes)
    assert np.isfinite(onsets).mean() > 0.1
    censored = (np.minimum(each, episodes + 1.0) for each in (onsets, first))
    assert ks_2samp(*censored, method="asymp").pvalue > 1e-3


def test_the_first_reward_comes_by_chance():
    # Unaligned, all of three answers are right once in eight episodes.
    runs = train_perceptrons([PerceptronCell(3)], range(2000), updates=1)
    moved = np.mean([run.curve("alignment").y[1] > 1e-9 for run in runs])
    assert moved == pytest.approx(1 / 8, abs=4 * math.sqrt(7) / 8 / math.sqrt(2000))


def test_chances_follow_from_the_angle():
    (run,) = train_perceptrons([PerceptronCell(4, dimension=100, n_mistakes=1)], [0], updates=6000)
    right = 1 - np.arccos(run.curve("alignment").y) / math.pi
    np.testing.assert_allclose(run.curve("p_correct").y, right, rtol=1e-10)
    expected = right**4 + 4 * right**3 * (1 - right)
    np.testing.assert_allclose(run.curve("episodic_return").y, expected, rtol=1e-10)
    assert run.curve("p_correct").y[-1] > 0.8


@pytest.mark.parametrize(("decisions", "mistakes"), [(1, 0), (5, 0), (5, 2), (4, 3)])
def test_mistakes_of_rewarded_episodes_are_a_cut_binomial(decisions, mistakes):
    for right in (0.4, 0.9):
        chance = rewarded(np.array(right), decisions, mistakes)
        assert chance == pytest.approx(binom.cdf(mistakes, decisions, 1 - right), rel=1e-12)
        u = (np.arange(20_000) + 0.5) / 20_000
        drawn = mistakes_of(u, np.full(u.shape, right), decisions, mistakes)
        expected = binom.pmf(np.arange(mistakes + 1), decisions, 1 - right) / chance
        found = np.bincount(drawn, minlength=mistakes + 1) / u.size
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_run_does_not_depend_on_its_company(monkeypatch):
    cells = cells_of_every_kind()
    with monkeypatch.context() as few:  # fewer episodes drawn at once, the more runs there are
        few.setattr("empirics.perceptron_events.DRAWS_AT_ONCE", 100)
        together = train_perceptrons(cells, range(4), updates=250)
    for run in together[2::4]:
        (alone,) = train_perceptrons([run.cell], [run.seed], updates=250)
        assert alone == run
        assert [c.digest for c in alone.curves] == [c.digest for c in run.curves]
    assert len({run.run_id for run in together}) == len({run.run for run in together}) == 16


def test_onsets_are_those_of_whole_runs():
    for cell in cells_of_every_kind():
        onsets = perceptron_onsets(cell, 5, 3, 80)
        runs = train_perceptrons([cell], range(3, 8), updates=80)
        np.testing.assert_array_equal(onsets, [run.onset.upper for run in runs])
        for run in runs:
            y, t = run.curve("alignment").y, run.curve("alignment").t
            assert np.all(y[t <= run.onset.lower] < 0.5)
    assert list(perceptron_onsets(PerceptronCell(2, initial_alignment=0.7), 2, 0, 9)) == [0.0, 0.0]


def test_a_curve_says_what_shaped_it():
    runs = train_perceptrons([PerceptronCell(n) for n in (2, 3)], [0, 1], updates=30)
    assert Ladder("n_decisions", [run.curve("alignment") for run in runs]).rungs == (2, 3)
    curve = runs[-1].curve("alignment")
    assert curve.support == (-1.0, 1.0) and curve.y[0] == pytest.approx(0.0, abs=1e-15)
    assert curve.progress is Progress.EPISODES and curve.origin is Origin.MEASURED
    assert runs[-1].onset.progress is Progress.EPISODES
    assert dict(curve.conditions) == {
        "n_decisions": 3,
        "learning_rate": 1.0,
        "dimension": 400,
        "n_mistakes": 0,
        "initial_alignment": 0.0,
        "initial_squared_norm": 1.0,
        "update_rule": "rewarded_answers",
        "seed": 1,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_decisions": 0}, "n_decisions must be at least 1; it is 0"),
        ({"dimension": 2}, "dimension must be at least 3; it is 2"),
        ({"n_mistakes": 3}, "n_mistakes must be less than n_decisions, 3; it is 3"),
        ({"learning_rate": 0.0}, "learning_rate must be positive; it is 0.0"),
        ({"initial_squared_norm": 0.0}, "initial_squared_norm must be positive; it is 0.0"),
        ({"initial_alignment": 1.0}, "initial_alignment must lie between -1 and 1; it is 1.0"),
        ({"dimension": 2.5}, "dimension must be a whole number; it is 2.5"),
    ],
)
def test_wrong_cells_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        PerceptronCell(**{"n_decisions": 3, **changes})


def test_wrong_requests_are_refused():
    cell = PerceptronCell(2)
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_perceptrons([cell], [0], updates=0)
    with pytest.raises(ValueError, match="n_seeds must be at least 1; it is 0"):
        perceptron_onsets(cell, 0, 0, 10)
