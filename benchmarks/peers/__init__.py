"""HUMMBL beside other engines: the same executions, on this machine, one after the other.

Each peer has a folder: `requirements.txt` (what is installed into its `.venv`, on demand) and
`runner.py` (the work in its terms, at the best settings that trying found).
"""
