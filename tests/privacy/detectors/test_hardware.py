"""Hardware addresses, both ways."""

import pytest

from logopsd.privacy.detectors import build
from logopsd.privacy.masking import Masker

MASKER = Masker(build(["mac"]))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("5c:50:15:01:02:03", "5c:50:15:xx:xx:xx"),
        ("5C-50-15-0A-0B-0C", "5C-50-15-xx-xx-xx"),
        ("mac=5c:50:15:01:02:03,", "mac=5c:50:15:xx:xx:xx,"),
        ("00e0.ed12.3456", "00e0.edxx.xxxx"),
        ("dev_5C_50_15_01_02_03", "dev_5C_50_15_xx_xx_xx"),
        ("5c:50:15:01:02:03: link up", "5c:50:15:xx:xx:xx: link up"),
        ("00:1a:2b:3c:4d:5e", "00:1a:2b:xx:xx:xx"),
    ],
)
def test_is_masked(text, masked):
    """The vendor's half stays, the card's half goes."""
    assert MASKER.mask_text(text) == masked
    assert MASKER.mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "FF-FF-FF-FF-FF-FF",
        "5c:50:15:01:02",
        "50:06:01:60:3b:a0:11:22",
        "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:08:00",
        "x5c:50:15:01:02:03",
        "5c:50-15:01:02:03",
        "0000.0000.0000",
        "1234.5678.9012",
        "ab00e0.ed12.3456",
        ".abcd.abcd",
        ":aa:bb:cc:dd:ee",
        "2026-11-23-12-34-56",
        "e0e0.ed12.3456.7",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_look_alikes_are_left_alone(text):
    """Longer chains, nobody's addresses, dates and UUIDs stay."""
    assert MASKER.mask_text(text) == text
