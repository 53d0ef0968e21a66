"""Views of the accounts API."""
