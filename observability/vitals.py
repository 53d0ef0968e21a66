"""The Web Vitals that are measured, and how they are judged."""

from dataclasses import dataclass
from typing import Final

from hummbl.templatetags.ui import NONE


@dataclass(frozen=True, slots=True)
class Vital:
    """A Web Vital and its bounds: good up to `good`, poor beyond `poor`; times in seconds.

    Source: web.dev/articles/vitals, and the article of each.
    """

    name: str
    title: str
    about: str
    is_time: bool
    good: float
    poor: float

    def said(self, value: float | None) -> str:
        """The value in words."""
        if value is None:
            return NONE
        if not self.is_time:
            return f"{value:.2f}"
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"

    @property
    def goal(self) -> str:
        """The bound of what is good, in words."""
        return self.said(self.good)


VITALS: Final = (
    Vital("LCP", "Largest Contentful Paint", "When the page looks loaded", True, 2.5, 4.0),
    Vital("INP", "Interaction to Next Paint", "How fast it answers a click", True, 0.2, 0.5),
    Vital("CLS", "Cumulative Layout Shift", "How much it jumps while it loads", False, 0.1, 0.25),
    Vital("FCP", "First Contentful Paint", "When something is seen", True, 1.8, 3.0),
    Vital("TTFB", "Time to First Byte", "When the server has answered", True, 0.8, 1.8),
)
