"""What holds for all tests."""

from hypothesis import settings

from tests.depth import USUAL_EXAMPLES, examples

settings.register_profile("depth", settings(), max_examples=examples(USUAL_EXAMPLES))
settings.load_profile("depth")
