"""What tests of pages share."""

from tests.workflows.pages.conftest import browse, fragment

__all__ = ["browse", "fragment"]
