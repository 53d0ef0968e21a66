"""The HTTP API of workflows, executions, keys and models."""
