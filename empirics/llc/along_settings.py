"""What is asked of every checkpoint of a run, and how it is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import final

from empirics.coerce import coerce_fields, whole
from empirics.llc.chains import ChainPlan
from empirics.llc.sgld import SGLD
from theory.curve import Condition

OBSERVABLES: Mapping[str, str] = MappingProxyType(
    {"behavior": "llc_behavior", "value": "llc_value"}
)
NBETA: Mapping[str, float] = MappingProxyType({"behavior": 1e4, "value": 1e3})
"""Values bend ten times as steeply early in training, where the default step would be too long."""
STATES = ("held_out", "on_policy")


@final
@dataclass(frozen=True)
class AlongSettings:
    """The energy, the states it is a mean over, and the chains.

    The defaults suit maze agents of the goal switch: there they agree with exact Fisher spectra.
    nbeta is a resolution here, not an amount of data: a direction counts
    h/(h + localization/nbeta)/2, h the energy's curvature along it.

    Attributes
    ----------
    energy : str
        ``"behavior"``, the divergence from the checkpoint's own policy, or ``"value"``, the
        squared distance from its own values.
    states : str
        ``"held_out"``, beginnings of episodes on held-out levels with the cheese anywhere, the
        same for all checkpoints; or ``"on_policy"``, those that the checkpoint itself visits.
    num_states : int
        n, states that the energy is a mean over.
    rows_per_move : int
        Of them, drawn anew for every move of a chain.
    step_size, localization : float
    nbeta : float
        That of `NBETA` if not given.
    num_chains, num_draws, num_burnin_steps : int
    seed : int

    Raises
    ------
    ValueError
        For a value that no chain can have.
    """

    energy: str = "behavior"
    states: str = "held_out"
    num_states: int = 512
    rows_per_move: int = 32
    step_size: float = 5e-6
    localization: float = 1e4
    nbeta: float | None = None
    num_chains: int = 8
    num_draws: int = 200
    num_burnin_steps: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name, known in (("energy", tuple(OBSERVABLES)), ("states", STATES)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be one of {', '.join(sorted(known))}; it is "
                    f"{getattr(self, name)!r}."
                )
        if self.nbeta is None:
            object.__setattr__(self, "nbeta", NBETA[self.energy])
        whole("num_states", self.num_states, 1)
        whole("seed", self.seed, 0)
        _ = self.plan, self.sampler  # which check the rest

    @property
    def observable(self) -> str:
        """Name of the curve."""
        return OBSERVABLES[self.energy]

    @property
    def plan(self) -> ChainPlan:
        """The chains."""
        return ChainPlan(
            self.nbeta, self.localization, self.num_chains, self.num_draws, self.num_burnin_steps
        )

    @property
    def sampler(self) -> SGLD:
        """How they move."""
        return SGLD(self.step_size, self.rows_per_move)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The settings as rows of a ledger, told from the run's own."""
        own = {"energy": "llc_energy", "states": "llc_states", "seed": "llc_seed"}
        return {"sampler": "sgld", **{own.get(k, k): v for k, v in asdict(self).items()}}
