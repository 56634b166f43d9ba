"""A made-up results document: numbers invented to exercise the report, no result of any study."""

import numpy as np
import pytest

FORMS = ("logistic", "gompertz", "exponential_approach", "double_logistic", "linear")


def made_up_curve(seed=0, observable="p_goal", shape="sigmoid", n=60, log_spaced=True, **changes):
    rng = np.random.default_rng(seed)
    t = np.unique(np.geomspace(1000, 1e6, n).round()) if log_spaced else np.arange(n) * 5000.0
    u = np.log(t + 1000) - np.log(2e5)
    median = 0.12 + 0.64 / (1 + np.exp(-2.0 * u))
    if shape == "transient":
        median = 0.25 + 0.9 * np.exp(-0.5 * (u / 0.8) ** 2) - 0.1 / (1 + np.exp(-2 * u))
    y = median + 0.03 * rng.standard_normal(t.size)
    candidates = [
        {
            "form": form,
            "noise": noise,
            "family": shape if i < 5 else "saturating",
            "status": "",
            "expression": "floor + gain*(1 + tanh(rate*(t - midpoint)/2))/2",
            "latex": r"\mathrm{floor}",
            "parameters": {
                "floor": {"value": 0.12, "se": 0.01, "lower": 0.1, "upper": 0.14},
                "gain": {"value": 0.64, "se": 0.02, "lower": 0.6, "upper": 0.68},
                "midpoint": {"value": 199500.0, "se": 5000.0, "lower": 189e3, "upper": 209e3},
                "rate": None,
                "sd_white": {"value": 0.03, "se": 0.003, "lower": 0.025, "upper": 0.037},
            },
            "log_likelihood": 120.0 - i,
            "n_free": 5,
            "aic": -230.0 + i,
            "aicc": -229.0 + i,
            "bic": -220.0 + i,
            "log_evidence": None if i == 9 else 101.5 - 2.1 * i,
            "log_evidence_se": None if i == 9 else 0.02,
            "weight": float(np.exp(-2.1 * i) * 0.88),
            "elpd_loo": None,
            "elpd_forecast": 21.0 - i,
            "doubts": []
            if i < 2
            else ["The plateau is not in sight."]
            + (["There is no evidence and no posterior."] if i == 9 else []),
        }
        for i, (form, noise) in enumerate((f, m) for f in FORMS for m in ("white", "ou_white"))
    ]
    residual = rng.standard_normal(t.size)
    lags = np.arange(1, 16)
    curve = {
        "run": f"seed {seed}",
        "run_id": f"{seed:08x}",
        "observable": observable,
        "unit": "",
        "progress": "env_steps",
        "n_obs": int(t.size),
        "digest": "0" * 64,
        "origin": "simulated",
        "conditions": {"alpha": 0.1, "seed": seed},
        "t": t.tolist(),
        "y": y.tolist(),
        "y_se": [0.03] * t.size,
        "family_probabilities": {
            "none": 0.0,
            "saturating": 0.02,
            "sigmoid": 0.97 if shape == "sigmoid" else 0.0,
            "multistage": 0.01,
            "transient": 0.0 if shape == "sigmoid" else 0.97,
        },
        "family_se": dict.fromkeys(
            ("none", "saturating", "sigmoid", "multistage", "transient"), 0.002
        ),
        "sensitivity": {
            scale: {"none": 0.0, "saturating": 0.03, shape: 0.96} for scale in ("0.5", "2")
        },
        "candidates": candidates,
        "fitted": {
            "t": t.tolist(),
            "average": {
                "median": median.tolist(),
                "lower": (median - 0.02).tolist(),
                "upper": (median + 0.02).tolist(),
            },
            "forms": [
                {"form": "logistic", "noise": "white", "weight": 0.9, "median": median.tolist()},
                {
                    "form": "gompertz",
                    "noise": "white",
                    "weight": 0.06,
                    "median": (median + 0.01).tolist(),
                },
            ],
        },
        "prior": {
            "form": "logistic",
            "t": [float(t[0]), float(t[-1])],
            "lower": [-1.0, -1.0],
            "upper": [2.0, 0.5],
            "draws": [[0.0, 1.0], [0.5, 0.2]],
        },
        "residuals": {
            "form": "logistic",
            "noise": "white",
            "values": residual.tolist(),
            "autocorrelation": (0.3**lags * np.cos(lags)).tolist(),
            "ljung_box": {"statistic": 9.0, "lags": 10, "p_value": 0.53},
            "before": {
                "autocorrelation": (0.8**lags).tolist(),
                "ljung_box": {"statistic": 90.0, "lags": 10, "p_value": 5e-15},
            },
        },
        "stages": [
            {
                "onset": 6.6e4,
                "midpoint": 2e5,
                "width": 5.4e5,
                "share": 1.0,
                "rise": 0.63,
                "onset_interval": [6e4, 7e4],
                "midpoint_interval": [1.89e5, 2.09e5],
                "width_interval": [5e5, 6e5],
                "share_interval": [1.0, 1.0],
                "rise_interval": [0.6, 0.66],
            }
        ],
        "stage_agreement": 0.98,
        "peak": None,
        "forecast": {
            "baseline": "mean of the last 10 % of points",
            "rmse_ratio": 0.61,
            "reason": "",
        },
        "verdict": {
            "kind": "decided",
            "families": [shape],
            "forms": ["logistic", "gompertz"],
            "reason": f"The shape is {shape} with probability 0.970; at least 0.955 over "
            "Monte-Carlo error and priors half and twice as wide.",
        },
        "notes": [],
    }
    return curve | changes


def made_up_ladder(title="Delta rule, r = 2", truth="delta_rule", censored=True):
    rng = np.random.default_rng(3)
    rungs = [0.01, 0.03, 0.1, 0.2]
    onsets = []
    for rung in rungs:
        for seed in range(8):
            time = 12 / rung * rng.gamma(40, 1 / 40)
            lost = censored and rung == 0.01 and seed % 2
            onsets.append(
                {
                    "condition": rung,
                    "conditions": {},
                    "facet": "",
                    "run": f"alpha {rung} seed {seed}",
                    "lower": 900.0 if lost else time * 0.95,
                    "upper": None if lost else time * 1.05,
                }
            )
    mechanisms = {"delta_rule": 1.0, "policy_gradient": 2.5, "normalized_gradient": 2.0}
    predictions = [
        {
            "mechanism": name,
            "facet": "",
            "condition": rungs,
            "median": [None if a == 0.2 and p == 2.0 else 12 / 0.1 * (0.1 / a) ** p for a in rungs],
        }
        for name, p in mechanisms.items()
    ]
    scores = [
        {
            "mechanism": name,
            "log_evidence": -40.0 - 11 * i,
            "log_evidence_se": 0.01,
            "weight": [0.97, 0.03, 0.0, 0.0][i],
            "clock": 1.02,
            "cv": 0.16,
            "doubts": [] if i < 2 else ["It predicts no onset at alpha 0.2."],
        }
        for i, name in enumerate(("delta_rule", "free medians", *list(mechanisms)[1:]))
    ]
    return {
        "title": title,
        "condition": "alpha",
        "quantity": "flip time",
        "unit": "updates",
        "log_condition": True,
        "log_quantity": True,
        "truth": truth,
        "text": "",
        "onsets": onsets,
        "predictions": predictions,
        "scores": scores,
        "verdict": {
            "kind": "decided",
            "mechanisms": ["delta_rule"],
            "reason": "delta rule leads the next, free medians, by 11.0 nats.",
        },
    }


def made_up_run(alpha, seed=0, **changes):
    """One entry of ``study.runs``: a switch at 60k where levels part goal and proxy."""
    switches = alpha > 0
    estimate = {"value": 7e4, "se": 5e3, "lower": 6e4, "upper": 8e4}
    run = {
        "run": f"alpha {alpha}, seed {seed}",
        "run_id": f"{seed:08x}",
        "alpha": alpha,
        "seed": seed,
        "onset": {
            "lower": 6e4 if switches else 4e5,
            "upper": 6.6e4 if switches else None,
            "led_by_proxy": True,
        },
        "flip": {
            "time": estimate if switches else None,
            "ends_above": 0.93 if switches else 0.01,
            "crosses": 0.81 if switches else 0.0,
            "never_led_by_proxy": 0.12 if switches else 0.0,
            "reason": "",
        },
        "proxy": {
            "verdict": "inconclusive",
            "family": "transient" if switches else "saturating",
            "family_probability": 0.74,
            "transient_probability": 0.74 if switches else 0.11,
            "peak": made_up_peak() if switches else None,
            "largest_measured": {"t": 5e4, "value": 0.58},
            "reason": "",
        },
        "success": {
            "before": 0.51 if switches else None,
            "after": 0.52 if switches else None,
            "last": 0.63,
        },
        "last": {
            name: {"value": value, "se": 0.008}
            for name, value in (
                ("p_goal", 0.69 if switches else 0.07),
                ("p_proxy", 0.18 if switches else 0.89),
                ("p_proxy_without_goal", 0.31),
                ("success_on_distribution", 0.63),
            )
        },
    }
    return run | changes


def made_up_peak(sign=1):
    return {
        "kind": "peak" if sign > 0 else "trough",
        "family": "transient",
        "time": {"value": 7.6e4, "se": 1e4, "lower": 5.4e4, "upper": 1.37e5},
        "height": {"value": 0.47, "se": 0.05, "lower": 0.3, "upper": 0.56},
        "prominence": {"value": sign * 0.2, "se": 0.05, "lower": sign * 0.1, "upper": sign * 0.3},
        "probability": 0.72,
        "probability_given_family": 0.98,
    }


def made_up_reading(run, observable="p_goal"):
    return {
        "run": run,
        "run_id": "0",
        "observable": observable,
        "unit": "",
        "env_steps": 400000,
        "value": 0.69,
        "se": 0.008,
        "n_levels": 750,
        "baselines": {"uniform": 0.25, "any open step": 0.485, "random initialization": 0.26},
        "strongest": "any open step",
        "above_strongest": 0.205,
    }


def made_up_document(curves=None, **more):
    return {
        "schema": 1,
        "command": "propose",
        "curves": [made_up_curve()] if curves is None else curves,
        "rejected": [],
        "notes": [],
        "provenance": {
            "command": "ontogeny propose curves.csv --seed 3",
            "seed": 3,
            "data": {"curves.csv": "ab" * 32},
            "wall_seconds": 12.3,
            "versions": {"python": "3.11.9", "numpy": "2.4.6", "scipy": "1.17.1"},
            "git_commit": "0" * 40,
            "git_dirty": False,
            "platform": "Linux x86_64",
            "processor_count": 2,
        },
        **more,
    }


def made_up_study(n_seeds=1):
    curves = []
    for alpha in (0.0, 0.1):
        for seed in range(n_seeds):
            for observable, shape in (
                ("p_goal", "sigmoid"),
                ("p_proxy", "transient"),
                ("success", "sigmoid"),
            ):
                curve = made_up_curve(
                    len(curves),
                    observable,
                    shape,
                    run=f"alpha {alpha}, seed {seed}",
                    conditions={"alpha": alpha, "seed": seed},
                )
                if len(curves) == 3:
                    curve["verdict"] = {
                        "kind": "inconclusive",
                        "families": [],
                        "forms": [],
                        "reason": "No shape has 92.5 % of the probability and no two have 95 %: "
                        "sigmoid 0.71, saturating 0.15, multistage 0.10.",
                    }
                curves.append(curve)
    return made_up_document(
        curves,
        command="study",
        study={
            "name": "goal-switch",
            "title": "When does the goal replace the proxy?",
            "question": "Agents are trained where a proxy predicts reward as well as the goal in "
            "all but a fraction α of levels. When do they switch, and by which mechanism?",
            "verdict": "Each of the three update rules is recovered from flip times alone; the "
            "maze agents switch at 0.51M steps, long after their return has saturated.",
            "paragraphs": ["All numbers here are made up.", "They exercise the report."],
            "runs": [made_up_run(alpha, seed) for alpha in (0.0, 0.1) for seed in range(n_seeds)],
            "readings": [
                made_up_reading(f"alpha {alpha}, seed {seed}")
                for alpha in (0.0, 0.1)
                for seed in range(n_seeds)
            ],
            "settings": {"maze": {"alphas": [0.0, 0.1]}, "cue": {"seed": 3}},
        },
        ladders=[made_up_ladder(), made_up_ladder("Softmax policy gradient, r = 2", None, False)],
        developments=[
            {
                "title": "The switch hides behind the return",
                "condition": "alpha",
                "observables": ["success", "p_proxy", "p_goal"],
                "takeaway": "Success saturates before the goal overtakes the proxy.",
            }
        ],
        rejected=[
            {"run": "seed 9", "observable": "p_goal", "reason": "y must be finite; y[3] = nan."}
        ],
        notes=["3 empty cells left out: p_goal of seed 2 (3)."],
    )


@pytest.fixture
def document():
    return made_up_document()


@pytest.fixture
def study():
    return made_up_study()


@pytest.fixture(scope="session", name="made_up_study")
def study_for_all():
    """The study for tests that change nothing in it."""
    return made_up_study()


@pytest.fixture
def make_curve():
    return made_up_curve


@pytest.fixture
def make_document():
    return made_up_document


@pytest.fixture
def make_run():
    return made_up_run


@pytest.fixture
def make_peak():
    return made_up_peak


@pytest.fixture
def make_ladder():
    return made_up_ladder
