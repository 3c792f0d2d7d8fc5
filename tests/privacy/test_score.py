"""The labelled set holds the detectors to what `docs/privacy.md` promises."""

import pytest

from logopsd.privacy.detectors import DEFAULT
from tests.privacy.score import DETECTORS, lines, main, measure

SCORE = measure()


def test_the_set_is_as_large_as_it_says():
    """300 lines and more, a third of them clean look-alikes, and some of every kind."""
    personal, clean = len(lines("personal.txt")), len(lines("clean.txt"))
    assert personal + clean >= 300
    assert clean * 3 >= personal + clean
    assert all(SCORE.labelled[name] >= 5 for name in DETECTORS)
    assert len(set(lines("personal.txt") + lines("clean.txt"))) == personal + clean


@pytest.mark.parametrize("name", DETECTORS)
def test_every_labelled_value_is_found(name):
    """Recall is 100 % for each detector."""
    assert SCORE.missed == []
    assert SCORE.found[name] == SCORE.labelled[name]


@pytest.mark.parametrize("name", DETECTORS)
def test_clean_lines_stay(name):
    """At most 1 % of the clean lines are changed, by all detectors together and by each."""
    assert len(SCORE.wrong) <= SCORE.clean / 100
    assert SCORE.false[name] <= SCORE.clean / 100


def test_nothing_beyond_the_labels_is_claimed():
    """In a line with personal data the rest stays readable."""
    assert SCORE.stray == []


def test_the_default_set_finds_all_of_its_own():
    """Without the detectors that run by choice nothing of the others is missed."""
    score = measure(DEFAULT)
    assert score.missed == []
    assert score.wrong == []


def test_the_table_is_printed(capsys):
    """`make pii-score` shows a line for each detector."""
    main()
    printed = capsys.readouterr().out
    assert all(name in printed for name in DETECTORS)
    assert "100.0%" in printed
