"""Imports that take seconds, beside an event loop that has other things to do."""

import asyncio
import sys
from importlib import import_module
from types import ModuleType


async def load(name: str) -> ModuleType:
    """A module, imported in a thread when it is asked for the first time."""
    # A module that another thread is still importing is in sys.modules, but not ready for use.
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        return module
    return await asyncio.to_thread(import_module, name)
