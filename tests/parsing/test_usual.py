"""The short way into a record agrees with the long one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.parsing.names import LEVEL_ALIASES, MSG_ALIASES, TIME_ALIASES
from logopsd.parsing.normalize import Normalizer
from logopsd.parsing.timestamps import Stamps
from logopsd.parsing.usual import UsualPayloads
from logopsd.records import Batch
from tests.parsing.helpers import UTC

USUAL = {
    "timestamp": "2026-11-23T10:00:00.5+01:00",
    "level": "warn",
    "msg": "hello",
    "service": " shop ",
    "n": 5,
}
ODD = st.sampled_from(
    [
        "",
        " ",
        "x",
        "INFO",
        "Notice",
        5,
        0.5,
        None,
        True,
        ["a"],
        {"b": {"c": 1}},
        "2026-02-30T10:00:00Z",
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00." + "0" * 80 + "Z",
        "Nov 23 10:00:00",
        1_790_000_000,
    ]
)
NAMES = st.sampled_from(
    [
        *TIME_ALIASES,
        *LEVEL_ALIASES,
        *MSG_ALIASES,
        "service",
        "app",
        "peer",
        "n",
        "n_enc",
        "extras",
        "guessed",
    ]
)


@settings(max_examples=500)
@given(st.dictionaries(NAMES, ODD, max_size=5), st.booleans())
def test_the_short_way_agrees_with_the_long_one(odd, over_usual):
    """Whatever a payload holds, under whatever names."""
    payload = {**USUAL, **odd} if over_usual else odd
    normalizer = Normalizer(Stamps(tz=UTC))
    batches = [Batch("http", 0.0, "2026-11-23T12:00:00.000Z") for _ in range(2)]

    short = normalizer.record(dict(payload), "192.0.2.7", batches[0], format="json", emitter="http")
    long = normalizer.record_slowly(
        dict(payload), "192.0.2.7", batches[1], format="json", emitter="http"
    )

    assert short == long
    assert list(short.extras or ()) == list(long.extras or ())
    assert batches[0] == batches[1]


def test_the_usual_payload_goes_the_short_way():
    """Else the property above would show nothing."""
    batch = Batch("http", 0.0, "2026-11-23T12:00:00.000Z")
    made = UsualPayloads(Stamps(tz=UTC)).record(
        USUAL, "192.0.2.7", batch, format="json", emitter="http"
    )
    assert made is not None
    assert (made.ts, made.level, made.emitter) == ("2026-11-23T09:00:00.5Z", "WARN", "shop")
