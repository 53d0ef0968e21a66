"""What every part of the HTTP API shares: errors, bodies, lists, limits, permissions."""
