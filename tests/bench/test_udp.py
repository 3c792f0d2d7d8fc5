"""The search for the highest rate that a program keeps."""

from typing import Any

import pytest

from tests.bench import udp


def search(monkeypatch: pytest.MonkeyPatch, limit: float, sender: float, guess: float) -> Any:
    """Search with a program that keeps up to `limit`, and a sender that goes up to `sender`."""

    def keeps(_rival: object, _sender: object, rate: float, seconds: float) -> tuple[bool, int]:
        real = min(rate, sender)
        return real <= limit, int(real * seconds)

    monkeypatch.setattr(udp, "_keeps", keeps)
    return udp._highest(None, None, 0.0, 0.0, guess, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("guess", [40_000.0, 100_000.0, 130_000.0, 250_000.0])
def test_the_limit_is_found_from_any_guess(monkeypatch: pytest.MonkeyPatch, guess: float) -> None:
    """Whether the first rate is kept or not."""
    rate, limited = search(monkeypatch, 100_000.0, 1e6, guess)

    assert 90_000 <= rate <= 100_000
    assert not limited


def test_a_sender_that_can_do_no_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it reached is kept, and marked."""
    assert search(monkeypatch, 1e6, 150_000.0, 120_000.0) == (150_000.0, True)


def test_one_miss_alone_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate is missed where it is missed twice: once, the machine may have stood still."""
    answers = iter([False, True])

    def keeps(_rival: object, _sender: object, rate: float, seconds: float) -> tuple[bool, int]:
        return next(answers, rate <= 100_000), int(rate * seconds)

    monkeypatch.setattr(udp, "_keeps", keeps)

    assert udp._highest(None, None, 0.0, 0.0, 99_000.0, 1.0)[0] >= 99_000  # type: ignore[arg-type]
