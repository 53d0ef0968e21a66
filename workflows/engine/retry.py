"""When a failed call is made again."""

import random

BASE_SECONDS = 0.5
GROWTH = 3
CAP_SECONDS = 30.0
# The least of a later wait, as a part of its ceiling: waits grow, whatever is drawn.
FLOOR = 0.7
# A provider may ask for more patience than a run has; beyond this we fail instead.
MAX_RETRY_AFTER_SECONDS = 600.0


def backoff(failures: int, retry_after: float | None) -> float:
    """Seconds to wait after that many failures, never less than the provider asked for.

    Exponential with jitter. The first wait is uniform between 0 and the base, so that many who
    fail together do not come back together; each later one is in the upper part of
    min(cap, base · 3^n), and so longer than the one before, up to the cap. With full jitter
    throughout (Marc Brooker, “Exponential Backoff And Jitter”, AWS Architecture Blog, 2015) every
    fourth wait would be shorter than the last, which a provider in trouble sees as hammering.
    """
    ceiling = min(CAP_SECONDS, BASE_SECONDS * GROWTH**failures)
    floor = ceiling * FLOOR if failures else 0.0
    delay = random.uniform(floor, ceiling)  # noqa: S311 - spreads load, guards nothing
    if retry_after:
        # A little jitter on top, else all who were told the same moment come back together.
        delay = retry_after + min(delay, 1.0)
    return delay
