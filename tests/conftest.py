"""What holds for all tests."""

from hypothesis import settings

from tests.depth import USUAL_EXAMPLES, examples

# No deadline: a machine that is busy with something else would miss it.
settings.register_profile("depth", settings(), max_examples=examples(USUAL_EXAMPLES), deadline=None)
settings.load_profile("depth")
