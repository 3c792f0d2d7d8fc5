"""What is compiled must be there to be tested, but where it is asked to be left out."""

import os

import pytest

from logopsd.compiled import IS_COMPILED


def pytest_collection_modifyitems(items):
    """Skip, and say what is missing; where nothing may be skipped, fail."""
    if IS_COMPILED:
        return
    left_out = os.environ.get("LOGOPSD_PURE_PYTHON")
    lacking = "logopsd.compiled was not built: apt install gcc python3-dev, then make clean test"
    if left_out:
        lacking = "LOGOPSD_PURE_PYTHON leaves out what is tested here"
    elif os.environ.get("LOGOPS_E2E") == "require":
        pytest.exit(lacking, 1)
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.skip(reason=lacking))
