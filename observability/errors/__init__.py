"""Errors: captured wherever they happen, grouped, counted, and shown to administrators.

`capture` and `capture_browser` take them in; both cost a few microseconds, wait for nothing and
never fail. `hooks.install` has everything captured that nobody else catches.
"""

from observability.errors.browser import capture_browser
from observability.errors.capture import capture

__all__ = ["capture", "capture_browser"]
