"""When a failed call is made again."""

import random

BASE_SECONDS = 0.5
CAP_SECONDS = 30.0
# A provider may ask for more patience than a run has; beyond this we fail instead.
MAX_RETRY_AFTER_SECONDS = 600.0


def backoff(failures: int, retry_after: float | None) -> float:
    """Seconds to wait after that many failures, never less than the provider asked for.

    Exponential with full jitter: uniform between 0 and min(cap, base · 2^n). See Marc Brooker,
    “Exponential Backoff And Jitter”, AWS Architecture Blog, 2015.
    """
    ceiling = min(CAP_SECONDS, BASE_SECONDS * 2**failures)
    delay = random.uniform(0, ceiling)  # noqa: S311 - spreads load, guards nothing
    if retry_after:
        # A little jitter on top, else all who were told the same moment come back together.
        delay = retry_after + min(delay, 1.0)
    return delay
