"""Alerts: what is watched every minute, and who is told."""
