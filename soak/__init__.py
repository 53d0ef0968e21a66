"""Crash safety, proven: executions under chaos, and the verdict on what became of them."""
