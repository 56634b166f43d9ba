import math

import numpy as np
import pytest
import sympy

from theory.curve import Origin, Schedule
from theory.forms import FORMS
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism
from theory.mechanisms import MECHANISMS

T = sympy.Symbol("t", real=True)
P = sympy.Symbol("p")


def replicator(**changes):
    """Natural policy gradient of one skill: a logistic, known in closed form."""
    rate, p_0 = sympy.symbols("rate p_0")
    fields = {
        "name": "replicator",
        "story": "The rewarded behavior grows in proportion to itself.",
        "state": (P,),
        "dynamics": (rate * P * (1 - P),),
        "start": (p_0,),
        "observables": {"p_goal": P},
        "parameters": (Quantity("rate", "growth rate", "1/update", 0.1, 0.0),),
        "conditions": (Quantity("p_0", "initial probability", "", 0.01, 0.0, 1.0),),
        "assumptions": ("infinite batch",),
        "implications": (
            Implication(
                ImplicationKind.FORM,
                "the curve is a logistic.",
                "always",
                solution={"p": 1 / (1 + (1 - p_0) / p_0 * sympy.exp(-rate * T))},
            ),
        ),
        "onset_observable": "p_goal",
        "reference": "Taylor and Jonker 1978",
        "guards": (Guard(lambda v: v["p_0"] < 0.5, "p_0 is above one half from the start."),),
    }
    return Mechanism(**{**fields, **changes})


def residuals(mechanism, implication):
    """The dynamics minus the derivative of a closed form, at random quantities."""
    symbols = {str(s): s for e in mechanism.dynamics for s in e.free_symbols}
    case = {symbols[name]: value for name, value in implication.case.items() if name in symbols}
    solution = {s: implication.solution[str(s)].subs(case) for s in mechanism.state}
    return [
        sympy.diff(solution[s], T) - right.subs(case).subs(solution)
        for s, right in zip(mechanism.state, mechanism.dynamics, strict=True)
    ]


def number(expression, given):
    """An expression at given quantities."""
    symbols = {symbol: given[str(symbol)] for symbol in expression.free_symbols}
    return float(expression.subs(symbols))


def test_integration_meets_the_closed_form():
    t = np.linspace(0, 120, 25)
    states, onset = replicator().integrate({"p_0": 0.02, "rate": 0.2}, t)
    exact = 1 / (1 + 0.98 / 0.02 * np.exp(-0.2 * t))
    np.testing.assert_allclose(states[:, 0], exact, atol=1e-6)
    assert onset == pytest.approx(math.log(49) / 0.2, rel=1e-6)
    assert replicator().onset({"p_0": 0.02, "rate": 0.2}) == pytest.approx(onset, rel=1e-6)


def test_a_condition_may_drift():
    mechanism = replicator()
    halved = Schedule([0.0, 1e6], [0.05, 0.05])
    assert mechanism.onset({"p_0": 0.02, "rate": halved}) == pytest.approx(
        2 * mechanism.onset({"p_0": 0.02, "rate": 0.1}), rel=1e-6
    )
    ramp = Schedule([0.0, 100.0], [0.0, 0.2])  # ∫ rate dt = 0.001 t²
    assert mechanism.onset({"p_0": 0.02, "rate": ramp}) == pytest.approx(
        math.sqrt(math.log(49) / 0.001), rel=1e-5
    )


def test_without_a_sampler_every_run_is_the_mean_field():
    curves = replicator().simulate(
        {}, {"p_0": 0.1}, [0.0, 10.0], rng=np.random.default_rng(0), n_runs=3
    )
    assert len(curves) == 3
    assert all(c.origin is Origin.SIMULATED and c.observable == "p_goal" for c in curves)
    assert len({tuple(c.y) for c in curves}) == 1
    assert curves[0].conditions["mechanism"] == "replicator"


def test_wrong_mechanisms_are_refused():
    with pytest.raises(ValueError, match="uses undeclared speed"):
        replicator(dynamics=(sympy.Symbol("speed") * P,))
    with pytest.raises(ValueError, match="must be as many; they are 1, 1 and 2"):
        replicator(start=(P, P))
    with pytest.raises(ValueError, match="no observable 'reward'; choose from p_goal"):
        replicator(onset_observable="reward")
    with pytest.raises(ValueError, match="suggested as 2.0, outside its bounds"):
        Quantity("share", "", "", 2.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 0.1}, "depends on p_0; the conditions are rate"),
        ({"p_0": "much"}, "p_0 must be a number for replicator; it is 'much'"),
        ({"p_0": 1.5}, r"p_0 must be in \[0.0, 1.0\] for replicator; it is 1.5"),
        ({"p_0": 0.7}, "implies no onset here: p_0 is above one half"),
    ],
)
def test_wrong_conditions_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        replicator().onset(given)


@pytest.mark.parametrize("mechanism", [*MECHANISMS.values(), replicator()], ids=lambda m: m.name)
class TestEveryMechanism:
    def test_shows_its_onset_at_what_it_suggests(self, mechanism):
        suggested = mechanism.suggested()
        assert not mechanism.broken(suggested)
        onset = mechanism.onset(suggested)
        assert 0 < onset < math.inf
        t = onset * np.array([0.5, 0.99, 1.01])
        states, _ = mechanism.integrate(suggested, t)
        seen = mechanism.observe(mechanism.onset_observable, states, mechanism.values(suggested))
        assert seen[1] < mechanism.onset_level < seen[2]

    def test_closed_forms_solve_the_dynamics(self, mechanism):
        rng = np.random.default_rng(1)
        for implication in mechanism.implications:
            if not implication.solution:
                continue
            for residual in residuals(mechanism, implication):
                symbols = sorted(residual.free_symbols, key=str)
                numeric = sympy.lambdify(symbols, residual, "numpy")
                values = rng.uniform(0.05, 0.45, (len(symbols), 100))
                assert np.max(np.abs(numeric(*values))) < 1e-12

    def test_implied_forms_are_the_mean_field(self, mechanism):
        for implication in mechanism.implications:
            if not (implication.form and implication.kind is ImplicationKind.FORM):
                continue
            form = FORMS[implication.form]
            given = {**mechanism.suggested(), **{n: float(v) for n, v in implication.case.items()}}
            theta = np.array([number(implication.where[name], given) for name in form.names])
            span = mechanism.onset(mechanism.suggested())
            t = np.linspace(span / 50, 4 * span, 60)
            states, _ = mechanism.integrate(given, t)
            seen = mechanism.observe(implication.observable, states, mechanism.values(given))
            np.testing.assert_allclose(form(t, theta), seen, atol=2e-6)

    def test_laws_of_the_onset_are_distributions(self, mechanism):
        if mechanism.onset_law is None:
            return
        values = {name: np.array([[v]]) for name, v in mechanism.suggested().items()}
        log_t = np.log(mechanism.onset(mechanism.suggested())) + np.linspace(-6, 6, 301)[None]
        below, above = np.exp(mechanism.onset_law(log_t, values))
        np.testing.assert_allclose(below + above, 1.0, atol=1e-9)
        assert np.all(np.diff(below) >= -1e-9)
        assert below[0, 0] < 0.05
        assert above[0, -1] < 0.05

    def test_many_settings_at_once_have_the_onsets_of_each(self, mechanism):
        onsets = mechanism.onsets({mechanism.parameters[0].name: np.array([1.0, 1.25])})
        for factor, onset in zip((1.0, 1.25), onsets, strict=True):
            given = {**mechanism.suggested(), mechanism.parameters[0].name: factor}
            assert onset == pytest.approx(mechanism.onset(given), rel=1e-4)

    def test_what_vanishes_vanishes_along_the_run(self, mechanism):
        for implication in mechanism.implications:
            if not implication.vanishing:
                continue
            given = {**mechanism.suggested(), "batch_size": math.inf}
            given |= {name: float(value) for name, value in implication.case.items()}
            t = np.linspace(0.0, 500.0, 40)
            states, _ = mechanism.integrate(given, t)
            names = {str(s): states[:, i] for i, s in enumerate(mechanism.state)} | {"t": t} | given
            for expression in implication.vanishing:
                symbols = sorted(expression.free_symbols, key=str)
                values = sympy.lambdify(symbols, expression, "numpy")(
                    *(names[str(s)] for s in symbols)
                )
                assert np.max(np.abs(values)) < 1e-4 * max(1.0, np.max(np.abs(states)))

    def test_has_a_range_of_validity_for_all_it_implies(self, mechanism):
        assert mechanism.implications and mechanism.assumptions and mechanism.reference
        for implication in mechanism.implications:
            assert implication.statement and implication.valid
            assert (implication.exponent is None) == (implication.condition == "")
