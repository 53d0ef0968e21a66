"""The HTTP API of the accounts app."""
