"""Imports that take seconds, beside an event loop that has other things to do."""

import asyncio
import sys
from importlib import import_module
from types import ModuleType


def loaded(name: str) -> ModuleType | None:
    """A module that has been imported already; else None."""
    # A module that another thread is still importing is in sys.modules, but not ready for use.
    module = sys.modules.get(name)
    if module is None or getattr(module.__spec__, "_initializing", False):
        return None
    return module


async def load(name: str) -> ModuleType:
    """A module, imported in a thread when it is asked for the first time."""
    module = loaded(name)
    if module is not None:
        return module
    return await asyncio.to_thread(import_module, name)
