"""What the page tests share."""

from tests.workflows.pages.conftest import browse, fragment

__all__ = ["browse", "fragment"]
