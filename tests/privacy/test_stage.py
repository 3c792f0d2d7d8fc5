"""The privacy stage: over everything, fail closed, tokens from the originals."""

from logopsd.privacy.stage import PrivacyStage
from tests.privacy.helpers import batch, maker, record

DIRTY = "jan@example.com from 83.11.2.3"
CLEAN = "j***@example.com from 83.11.x.x"


def test_masks_message_structured_data_extras_and_ts_orig():
    """Every text a sender gave is masked, wherever it stands."""
    one = record(
        DIRTY,
        sd={"id@32473": {"who": DIRTY}},
        extras={"a": [1, {"b": DIRTY}], "jan@example.com": True, "n": None, "f": 0.5},
        ts_orig=DIRTY,
        app=DIRTY,
        host="83.11.2.3",
    )
    report = PrivacyStage(detectors=["email", "ipv4"]).apply(batch(one))
    assert one.msg == one.ts_orig == one.app == CLEAN
    assert one.sd == {"id@32473": {"who": CLEAN}}
    assert one.extras == {"a": [1, {"b": CLEAN}], "j***@example.com": True, "n": None, "f": 0.5}
    assert one.host == "83.11.2.3"
    assert report.masked == {"email": 6, "ipv4": 5}


def test_token_of_message_and_fields_opens_to_the_originals():
    """The token of a message and of each named field holds what was there before masking."""
    tokens = maker()
    one = record(DIRTY, extras={"user_email": "jan@example.com", "client_ip": "83.11.2.3"})
    PrivacyStage(detectors=["email", "ipv4"], tokens=tokens).apply(batch(one))
    assert one.msg == CLEAN
    assert tokens.decrypt(one.msg_enc) == DIRTY
    assert one.extras["user_email"] == "j***@example.com"
    assert tokens.decrypt(one.extras["user_email_enc"]) == "jan@example.com"
    assert tokens.decrypt(one.extras["client_ip_enc"]) == "83.11.2.3"
