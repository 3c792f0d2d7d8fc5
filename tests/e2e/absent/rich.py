"""Stands in the way of rich, which import-linter brings and no installed daemon has beside it.

structlog imports it where it finds it: two fifths of the time that a start takes.
"""

raise ModuleNotFoundError("absent where a daemon is installed", name="rich")
