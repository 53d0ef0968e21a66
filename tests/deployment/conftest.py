"""Fixtures."""

from tests.hummbl.conftest import elsewhere

__all__ = ["elsewhere"]
