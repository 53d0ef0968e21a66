"""The HTTP API of the observability app."""
