"""The administrators' dashboard: what is drawn of which metrics, and how it is read."""
