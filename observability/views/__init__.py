"""Pages of the observability app."""
