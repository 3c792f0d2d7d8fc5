"""Loads settings from a text and an environment, and shows the problems."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from logopsd.config import Settings, load
from logopsd.errors import SettingsError

NOTHING: Mapping[str, str] = {}


def loaded(env: str | bytes | None = None, environ: Mapping[str, str] = NOTHING) -> Settings:
    """The settings of a `.env` of these bytes and of this environment."""
    with tempfile.TemporaryDirectory() as directory:
        if env is not None:
            data = env.encode("utf-8", "surrogatepass") if isinstance(env, str) else env
            (Path(directory) / ".env").write_bytes(data)
        return load(environ, directory=Path(directory))


def problems(env: str | bytes | None = None, environ: Mapping[str, str] = NOTHING) -> list[str]:
    """The problems of the same; empty where there are none."""
    try:
        loaded(env, environ)
    except SettingsError as error:
        return error.problems
    return []
