"""What is attacked, as a whole: whose answer counts, what is asked, and where gradients come from."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.attack.subject import Subject


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """A network in all the forms that there are of it.

    Attributes:
        judge: whose answers count: what ships.
        asked: what attacks without gradients ask; the judge, or its compiled form, which answers faster.
        sources: forms with gradients, the nearest to the judge first. Images made on them are judged by the judge.
    """

    judge: Subject
    asked: Subject
    sources: tuple[Subject, ...] = ()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All forms, the judge first, each once by its name."""
        return tuple({one.name: one for one in (self.judge, self.asked, *self.sources)}.values())

    def source(self, name: str) -> Subject:
        """The form of a name."""
        return next(one for one in self.subjects if one.name == name)
