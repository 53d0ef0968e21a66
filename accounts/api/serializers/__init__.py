"""The JSON forms of the accounts API."""
