"""The web process's worker, with little patience."""

from hummbl import server

server.PATIENCE = 1.0

Worker = server.Worker
