"""The privacy stage: over everything, fail closed, tokens from the originals."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.errors import PrivacyError
from logopsd.privacy import stage as stage_module
from logopsd.privacy.detectors import base
from logopsd.privacy.detectors.triggers import triggers
from logopsd.privacy.leaves import KNOWN_LIMIT
from logopsd.privacy.stage import WITHHELD, PrivacyStage
from tests.privacy.helpers import NOW, batch, maker, record

DIRTY = "jan@example.com from 83.11.2.3"
CLEAN = "j***@example.com from 83.11.x.x"
TWO = ["email", "ipv4"]


@pytest.fixture
def failing(monkeypatch):
    """Make a stage whose one detector raises on a text that holds `boom`."""

    def examine(text, at):
        raise ValueError("examined " + text)

    detector = base.Detector("email", triggers(b"boom"), examine)
    real = stage_module.available.build
    monkeypatch.setattr(
        stage_module.available, "build", lambda names, keep: (*real(names, keep), detector)
    )
    return lambda **options: PrivacyStage(detectors=TWO, **options)


def test_masks_message_structured_data_extras_and_ts_orig():
    """Every text a sender gave is masked, wherever it stands."""
    one = record(
        DIRTY,
        sd={"id@32473": {"who": DIRTY}},
        extras={"a": [1, {"b": DIRTY}], "jan@example.com": True, "n": None, "f": 0.5},
        ts_orig=DIRTY,
        app=DIRTY,
        procid=DIRTY,
        msgid=DIRTY,
        emitter=DIRTY,
        host="83.11.2.3",
        peer="83.11.2.3",
    )
    report = PrivacyStage(detectors=TWO).apply(batch(one))
    assert one.msg == one.ts_orig == one.app == one.procid == one.msgid == one.emitter == CLEAN
    assert one.sd == {"id@32473": {"who": CLEAN}}
    assert one.extras == {"a": [1, {"b": CLEAN}], "j***@example.com": True, "n": None, "f": 0.5}
    assert one.host == one.peer == "83.11.2.3"
    assert (report.withheld, report.unencrypted) == (0, 0)
    assert set(report.masked) == set(TWO)


def test_host_and_peer_are_masked_by_choice():
    """An operator may have the machines' own addresses hidden too."""
    one, two = record("a", host="83.11.2.3", peer="83.11.9.9"), record("b", host="web1")
    PrivacyStage(detectors=TWO, mask_fields=["host", "peer"]).apply(batch(one, two))
    assert (one.host, one.peer, two.host) == ("83.11.x.x", "83.11.x.x", "web1")


def test_a_host_that_is_none_is_masked_always():
    """An address may stay a host's name, but a mail address or a password is none."""
    stage = PrivacyStage()
    for _ in range(2):
        one = record("m", host="83.11.2.3")
        two, three = record("m", host="jan@example.com"), record("m", host="password=x")
        report = stage.apply(batch(one, two, three))
        assert (one.host, two.host, three.host) == ("83.11.2.3", "j***@example.com", "password=***")
        assert report.masked == {"email": 1, "secret": 1}


def test_unknown_names_are_refused():
    """A field, a detector or an exemption that is none is a refusal to start."""
    with pytest.raises(PrivacyError, match="no field"):
        PrivacyStage(mask_fields=["level"])
    with pytest.raises(PrivacyError, match="no detector"):
        PrivacyStage(detectors=["emial"])
    with pytest.raises(PrivacyError, match="neither"):
        PrivacyStage(keep=["not a network"])


def test_clean_records_are_not_touched():
    """Where nothing is found, a record keeps the very objects it came with."""
    extras, sd = {"a": ["b"]}, {"id": {"n": "v"}}
    one = record("clean", extras=extras, sd=sd)
    report = PrivacyStage().apply(batch(one))
    assert one.extras is extras
    assert one.sd is sd
    assert report.masked == {}


def test_an_empty_batch_is_no_trouble():
    """A read may bring no record at all."""
    assert PrivacyStage(tokens=maker()).apply(batch()).masked == {}


def test_numbers_are_examined():
    """A card number sent as a JSON number is masked as its text; others stay numbers."""
    one = record(
        "m",
        extras={
            "card": 4111111111111111,
            "float": 4111111111111111.0,
            "n": 17,
            "t": 1732410000123,
            "f": 1.5,
            "inf": float("inf"),
            "b": True,
        },
    )
    PrivacyStage().apply(batch(one))
    assert one.extras["card"] == one.extras["float"] == "411111******1111"
    assert [one.extras[name] for name in ("n", "t", "f", "b")] == [17, 1732410000123, 1.5, True]


def test_a_key_tells_what_its_value_is():
    """The value of `password` and its kind goes, as it does in a text."""
    one = record(
        "m",
        extras={
            "password": "my secret pass",
            "db": {"apiKey": 'a"b', "pwd": "/home", "passed": True, "token": "missing"},
            "pesel": "44051401359",
            "pass": 123456,
            "Authorization": "Bearer abc123",
            "jan@example.com_token": "abc",
            "tokens": 512,
        },
    )
    PrivacyStage().apply(batch(one))
    assert one.extras == {
        "password": "***",
        "db": {"apiKey": "***", "pwd": "/home", "passed": True, "token": "missing"},
        "pesel": "***********",
        "pass": "***",
        "Authorization": "Bearer ***",
        "j***@example.com_token": "***",
        "tokens": 512,
    }


def test_keys_that_look_alike_once_masked_lose_no_value():
    """Two addresses as keys stay two keys."""
    one = record("m", extras={"ja@b.co": 1, "jb@b.co": 2, "jc@b.co": 3, "x": DIRTY})
    PrivacyStage(detectors=TWO).apply(batch(one))
    assert one.extras == {"j***@b.co": 1, "j***@b.co#2": 2, "j***@b.co#3": 3, "x": CLEAN}


@pytest.mark.parametrize("kind", [lambda inner: {"k": inner}, lambda inner: [inner]])
def test_what_is_nested_too_deep_becomes_text(kind):
    """Depth costs no stack, and hides nothing."""
    value = DIRTY
    for _ in range(200):
        value = kind(value)
    one = record("m", extras={"deep": value})
    report = PrivacyStage(detectors=TWO).apply(batch(one))
    assert "jan@" not in json.dumps(one.extras)
    assert "j***@example.com" in json.dumps(one.extras)
    assert report.withheld == 0


def test_what_is_nested_too_deep_and_clean_beside_dirt_is_kept_as_text():
    """A branch below the limit is written as its JSON text once the record is rebuilt."""
    value = "clean"
    for _ in range(40):
        value = [value]
    one = record("m", extras={"deep": value, "who": DIRTY, "t": ("a",)})
    PrivacyStage(detectors=TWO).apply(batch(one))
    assert "clean" in json.dumps(one.extras)
    assert one.extras["who"] == CLEAN


def test_a_text_that_holds_the_separator_is_masked():
    """NUL in a message hides nothing from the detectors, nor its neighbours'."""
    records = [record("a\0" + DIRTY), record(DIRTY), record("\0"), record("clean")]
    report = PrivacyStage(detectors=TWO).apply(batch(*records))
    assert [one.msg for one in records] == ["a\0" + CLEAN, CLEAN, "\0", "clean"]
    assert report.masked == {"email": 2, "ipv4": 2}


def test_header_texts_are_remembered_only_while_clean():
    """A name seen to be clean is not searched again; one that is not is masked every time."""
    stage = PrivacyStage(detectors=TWO)
    for _ in range(2):
        one = record("m", app="sshd", extras={"name": "x@b.co"})
        two = record("m", app="jan@example.com")
        report = stage.apply(batch(one, two))
        assert (one.app, two.app) == ("sshd", "j***@example.com")
        assert one.extras == {"name": "x***@b.co"}
        assert report.masked == {"email": 2}


def test_memory_for_names_is_bounded():
    """A sender who makes up names fills no memory."""
    stage = PrivacyStage()
    for turn in range(3):
        made = [
            record("m", app=f"app{turn}-{n}", host=f"{turn}-{n}", extras={f"token{turn}-{n}": 1})
            for n in range(KNOWN_LIMIT // 2)
        ]
        stage.apply(batch(*made, record("m", app="x" * 5000, extras={"y" * 5000: 1})))
    assert len(stage._known.clean) <= KNOWN_LIMIT
    assert len(stage._known.keys) <= KNOWN_LIMIT
    assert len(stage._known.hosts) <= KNOWN_LIMIT
    assert "y" * 5000 not in stage._known.keys
    assert "x" * 5000 not in stage._known.clean


def test_token_of_message_and_fields_opens_to_the_originals():
    """The token of a message and of each named field holds what was there before masking."""
    tokens = maker()
    one = record(DIRTY, extras={"user_email": "jan@example.com", "client_ip": "83.11.2.3"})
    two = record("clean")
    PrivacyStage(detectors=TWO, tokens=tokens).apply(batch(one, two))
    assert one.msg == CLEAN
    assert tokens.decrypt(one.msg_enc) == DIRTY
    assert one.extras["user_email"] == "j***@example.com"
    assert tokens.decrypt(one.extras["user_email_enc"]) == "jan@example.com"
    assert tokens.decrypt(one.extras["client_ip_enc"]) == "83.11.2.3"
    assert tokens.decrypt(two.msg_enc) == "clean"
    assert two.extras is None


def test_own_fields_and_values_that_are_no_strings_get_tokens_too():
    """A header field's token stands among the extras; of a nested value its JSON is encrypted."""
    tokens = maker()
    fields = ["host", "order", "user_email", "msg", "gone"]
    one = record("m", host="83.11.2.3", extras={"order": {"n": [1]}, "user_email": ""})
    two = record("m", host="web1")
    PrivacyStage(tokens=tokens, encrypt_fields=fields).apply(batch(one, two))
    assert tokens.decrypt(one.extras["host_enc"]) == "83.11.2.3"
    assert json.loads(tokens.decrypt(one.extras["order_enc"])) == {"n": [1]}
    assert set(one.extras) == {"order", "user_email", "host_enc", "order_enc"}
    assert tokens.decrypt(two.extras["host_enc"]) == "web1"


def test_encrypting_only_what_was_masked():
    """With `masked`, a message in which nothing was hidden has no token."""
    tokens = maker()
    one, two = record(DIRTY), record("clean", extras={"user_email": "jan@example.com"})
    PrivacyStage(detectors=TWO, tokens=tokens, encrypt_msg="masked").apply(batch(one, two))
    assert tokens.decrypt(one.msg_enc) == DIRTY
    assert two.msg_enc is None
    assert tokens.decrypt(two.extras["user_email_enc"]) == "jan@example.com"


def test_a_record_that_cannot_be_masked_is_withheld_and_the_others_are_masked(failing):
    """The offending record loses every text its sender gave; the batch goes on."""
    bad = record(
        "boom " + DIRTY, host="h", app="a", procid="1", msgid="m", emitter="e", ts_orig="t",
        sd={"id": {"n": DIRTY}}, extras={"user_email": "jan@example.com"}, peer="10.0.0.1",
    )  # fmt: skip
    nested = record("fine", extras={"x": ["boom"]})
    good = record(DIRTY)
    report = failing().apply(batch(bad, good, nested))
    assert report.withheld == 2
    assert report.masked == {"email": 1, "ipv4": 1}
    assert good.msg == CLEAN
    assert bad.msg == nested.msg == WITHHELD
    assert bad.sd is bad.extras is bad.ts_orig is bad.host is bad.app is bad.procid is None
    assert bad.msgid is None
    assert bad.msg_enc is None
    assert (bad.emitter, bad.peer, bad.input) == ("http", "10.0.0.1", "http")
    assert nested.extras is None


@pytest.mark.parametrize(("chosen", "peer"), [((), "83.11.2.3"), (("peer", "host"), None)])
def test_a_withheld_record_keeps_no_chosen_field(failing, chosen, peer):
    """What an operator wants masked is not written because masking failed."""
    one = record("boom", host="83.11.2.3", peer="83.11.2.3")
    report = failing(mask_fields=chosen).apply(batch(one))
    assert (one.host, one.peer, report.withheld) == (None, peer, 1)


def test_a_withheld_record_keeps_its_token(failing):
    """Who holds the key can still read what was withheld."""
    tokens = maker()
    bad, good = record("boom " + DIRTY), record("clean")
    failing(tokens=tokens).apply(batch(bad, good))
    assert bad.msg == WITHHELD
    assert tokens.decrypt(bad.msg_enc) == "boom " + DIRTY
    assert tokens.decrypt(good.msg_enc) == "clean"


class _Broken:
    """Tokens cannot be made."""

    def encrypt_many(self, texts, now):
        raise OSError("no random bytes")


def test_without_encryption_a_record_is_masked_and_has_no_token():
    """Where no token can be made the masked text goes on without it, and is counted."""
    one = record(DIRTY, extras={"user_email": "jan@example.com"})
    report = PrivacyStage(detectors=TWO, tokens=_Broken()).apply(batch(one, record("x")))
    assert one.msg == CLEAN
    assert one.msg_enc is None
    assert one.extras == {"user_email": "j***@example.com"}
    assert report.unencrypted == 2


def test_a_withheld_record_without_encryption_has_no_token(failing):
    """Both failing at once still lets nothing out."""
    one = record("boom " + DIRTY)
    report = failing(tokens=_Broken()).apply(batch(one))
    assert (one.msg, one.msg_enc, report.withheld) == (WITHHELD, None, 1)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
DIRT = st.sampled_from([DIRTY, "jan@example.com", "83.11.2.3", 4111111111111111])
VALUES = st.recursive(
    LEAVES | DIRT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.just("jan@example.com"), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(st.text(max_size=12) | st.just(DIRTY), VALUES), max_size=4))
def test_nothing_personal_is_left_in_any_structure(items):
    """Whatever the shape, no secret is left, and the tokens hold the originals."""
    tokens = maker()
    records = [record(msg, extras={"value": value}) for msg, value in items]
    stage = PrivacyStage(tokens=tokens, encrypt_fields=[])
    report = stage.apply(batch(*records))
    left = repr(records)
    assert report.withheld == 0
    assert [tokens.decrypt(one.msg_enc) for one in records] == [msg for msg, _ in items]
    for secret in ("jan@example", "83.11.2.3", "4111111111111111"):
        assert secret not in left


def test_the_batch_time_is_the_tokens_time():
    """The stage needs no clock: a token bears the batch's time."""
    tokens = maker()
    one = record("m")
    PrivacyStage(tokens=tokens).apply(batch(one))
    assert tokens._fernet._fernets[0].extract_timestamp(one.msg_enc) == NOW
