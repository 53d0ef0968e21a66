"""What a loop costs that fails ten thousand times and logs each of its failures."""

import logging
import time

from observability import metrics
from observability.models import ErrorGroup, ErrorReport

logger = logging.getLogger(__name__)


def storm(count: int) -> dict[str, float]:
    """Seconds of processor time until all is logged and written, and what there is of it then."""
    begun = time.process_time()
    for number in range(count):
        try:
            _fail(number)
        except ValueError:
            logger.exception("Item %s failed", number)
    metrics.flush()
    seconds = time.process_time() - begun
    group = ErrorGroup.objects.get()
    return {"seconds": seconds, "errors": group.count, "reports": ErrorReport.objects.count()}


def _fail(number: int) -> None:
    raise ValueError(f"{number} is wrong")
