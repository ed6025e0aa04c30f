"""Which attacks are carried out on what, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from depthwise.attack.budget import LEVELS, Budget
from depthwise.attack.frame import Attack
from depthwise.errors import Refused

Method = Literal["auto", "fgsm", "pgd", "apgd", "square"]
METHODS: tuple[Method, ...] = ("auto", "fgsm", "pgd", "apgd", "square")
# Where the curve is measured, in parts of eps.
RUNGS = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0, 3 / 2, 2.0, 3.0, 4.0)
# Wrong labels that targeted attacks try, steps of attacks that measure the curve.
TARGETS, QUICK_STEPS = 9, 20
# Questions about an image of the search for the nearest wrong one.
RAY_QUERIES = 1000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is asked for.

    Attributes:
        targets: wrong labels that targeted attacks try; 0 for all.
        steps: of attacks that walk; 0 for each attack's own number.
        restarts: of attacks that walk.
        queries: the most questions about an image of attacks that only ask.
        seed: of everything random.
    """

    method: Method = "auto"
    budget: Budget
    targets: int = TARGETS
    steps: int = 0
    restarts: int = 1
    queries: int = 5000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise Refused(f"the method is {self.method!r}; it must be one of {', '.join(METHODS)}")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One attack, and the form of the network that it works on."""

    attack: Attack
    source: str

    @property
    def title(self) -> str:
        """For progress and reports."""
        return f"{self.attack.name} on {self.source}"


def stages(settings: Settings, sources: tuple[str, ...], asked: str) -> tuple[Stage, ...]:
    """The attacks at the budget itself; each works on the images that those before it left.

    Args:
        sources: names of the forms with gradients.
        asked: name of what can only be asked.
    Raises: Refused, when a method needs gradients and there are none.
    """
    if settings.budget.radius == 0:
        return ()
    if settings.method in ("fgsm", "pgd", "apgd") and not sources:
        raise Refused(
            f"{settings.method} goes by gradients, and an artifact has none; attack the model folder, give the one that"
            " it was made from by --gradients, or take --method square"
        )
    found = _walks(settings, sources)
    if settings.method in ("auto", "square"):
        found += _questions(settings, asked)
    return tuple(found)


def _walks(settings: Settings, sources: tuple[str, ...]) -> list[Stage]:
    """Attacks by gradients, on each form; the order is that of AutoAttack's standard version (arXiv:2003.01690)."""
    if not sources or settings.method == "square":
        return []
    from depthwise.attack.gradient.apgd import APGD
    from depthwise.attack.gradient.fab import FAB
    from depthwise.attack.gradient.walk import FGSM, PGD

    budget, restarts, targets = settings.budget, settings.restarts, settings.targets or 10**6
    steps = settings.steps or 100
    ce = APGD(budget=budget, steps=steps, restarts=restarts)
    attacks: list[Attack]
    match settings.method:
        case "fgsm":
            attacks = [FGSM(budget=budget)]
        case "pgd":
            attacks = [PGD(budget=budget, steps=settings.steps or 20, restarts=restarts)]
        case "apgd":
            attacks = [ce, APGD(budget=budget, steps=steps, restarts=restarts, loss="dlr")]
        case _:
            attacks = [
                ce,
                APGD(budget=budget, steps=steps, restarts=restarts, loss="targeted", targets=targets),
                FAB(budget=budget, steps=steps, restarts=restarts, targets=targets),
            ]
    return [Stage(attack=attack, source=source) for attack in attacks for source in sources]


def _questions(settings: Settings, asked: str) -> list[Stage]:
    """Attacks that only ask for scores; the search that asks for labels alone belongs to the curve."""
    from depthwise.attack.blackbox.square import Square

    return [Stage(attack=Square(budget=settings.budget, queries=settings.queries), source=asked)]


def rungs(budget: Budget) -> tuple[float, ...]:
    """Bounds at which the curve is measured, rising: parts and multiples of eps, of whole levels under linf."""
    found = [budget.eps * part for part in RUNGS]
    if budget.norm == "linf" and budget.whole:
        found = [round(eps * LEVELS) / LEVELS for eps in found if 1 <= round(eps * LEVELS) <= LEVELS]
    return tuple(sorted({eps for eps in found if eps > 0} | ({budget.eps} if budget.radius else set())))


def curve(settings: Settings, sources: tuple[str, ...], asked: str) -> tuple[Stage, ...]:
    """What measures the curve: at each other bound the method itself, or what stands for it where that takes long.

    Where there are no gradients, one search for the nearest wrong image of each image.
    """
    budget, others = settings.budget, [eps for eps in rungs(settings.budget) if eps != settings.budget.eps]
    if not others:
        return ()
    if sources and settings.method != "square":
        return tuple(Stage(attack=_quick(settings, budget.at(eps)), source=sources[0]) for eps in others)
    from depthwise.attack.blackbox.rays import RayS

    return (Stage(attack=RayS(budget=budget.at(others[-1]), queries=min(settings.queries, RAY_QUERIES)), source=asked),)


def _quick(settings: Settings, budget: Budget) -> Attack:
    from depthwise.attack.gradient.apgd import APGD
    from depthwise.attack.gradient.walk import FGSM, PGD

    match settings.method:
        case "fgsm":
            return FGSM(budget=budget)
        case "pgd":
            return PGD(budget=budget, steps=settings.steps or 20)
    return APGD(budget=budget, steps=QUICK_STEPS)
