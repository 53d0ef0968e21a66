"""How a measurement says that it cannot be made here."""


class Skipped(Exception):
    """The reason, for the reader of the table."""
