"""What must hold between settings: partners, options without effect, ports taken twice."""

from collections.abc import Callable, Iterator, Mapping

from logopsd.config.catalogue import PREFIX, Setting
from logopsd.config.settings import Settings

TCP_INPUTS = ("tcp_port", "tls_port", "relp_port", "http_port")
"""The ports that listen on TCP at LOGOPS_BIND."""

NOT_YET = {"tls_port": "TLS", "relp_port": "RELP"}
"""Ports whose listeners this version does not have."""

_ALL_ADDRESSES = frozenset({"0.0.0.0", "::"})  # noqa: S104  (compared with, never bound)

Problem = tuple[str, tuple[str, ...], str]
"""The attribute at fault, the others that the rule looked at, and what is wrong."""


def broken(
    settings: Settings, described: Mapping[str, Setting], given: frozenset[str]
) -> Iterator[Problem]:
    """Every rule that does not hold.

    Args:
        settings: the effective ones.
        described: attribute -> its description.
        given: attributes that were set, as against left at their default.
    """
    yield from _not_in_this_version(settings)
    for attribute, setting in described.items():
        if attribute in given:
            yield from _without_effect(settings, setting)
    for rule in _RULES:
        yield from rule(settings)


def _name(attribute: str) -> str:
    return PREFIX + attribute.upper()


def _not_in_this_version(settings: Settings) -> Iterator[Problem]:
    for attribute, what in NOT_YET.items():
        if getattr(settings, attribute) is not None:
            text = f"{_name(attribute)}: {what} is not in this version; set it to 0 or remove it"
            yield attribute, (), text


def _without_effect(settings: Settings, setting: Setting) -> Iterator[Problem]:
    if getattr(settings, setting.attribute) in (False, None):
        return  # what is off itself misleads nobody
    for need in setting.needs:
        attribute, _, word = need.partition("=")
        value = getattr(settings, attribute)
        if (value != word) if word else (value is None or value is False or value == ()):
            text = f"{setting.name} has no effect {_while(need, value)}; set that, or remove this"
            yield setting.attribute, (attribute,), text


def _while(need: str, value: object) -> str:
    attribute, _, word = need.partition("=")
    if word:
        return f"without {_name(attribute)}={word}"
    if attribute.endswith("_port"):
        return f"while {_name(attribute)} is 0 (off)"
    return f"without {_name(attribute)}" + ("=true" if value is False else "")


def _tls_partners(settings: Settings) -> Iterator[Problem]:
    for attribute in ("tls_cert", "tls_key"):
        if settings.tls_port is not None and getattr(settings, attribute) is None:
            text = f"{_name('tls_port')} needs {_name(attribute)}; name a PEM file there"
            yield "tls_port", (attribute,), text


def _key_for_encryption(settings: Settings) -> Iterator[Problem]:
    if settings.encrypt_pii and settings.secret_key is None:
        key = _name("secret_key")
        text = f"{_name('encrypt_pii')} needs {key}; `logopsd keygen` makes a key for it"
        yield "encrypt_pii", ("secret_key",), text


def _one_input_a_port(settings: Settings) -> Iterator[Problem]:
    """Two listeners on one TCP port; the second would fail at start with a worse explanation."""
    taken: dict[int, str] = {}
    for attribute in (*TCP_INPUTS, "metrics_port"):
        port = getattr(settings, attribute)
        if not port:  # off, or any free one
            continue
        other = taken.setdefault(port, attribute)
        if other != attribute and _addresses_meet(settings, attribute):
            text = (
                f"{_name(attribute)} is {port}, as is {_name(other)}; give each a port of its own"
            )
            yield attribute, (other,), text


def _addresses_meet(settings: Settings, attribute: str) -> bool:
    """Whether this listener and the inputs share an address, so that a port is taken for both."""
    if attribute != "metrics_port":
        return True
    both = {settings.bind, settings.metrics_bind}
    return len(both) == 1 or bool(both & _ALL_ADDRESSES)


_RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _tls_partners,
    _key_for_encryption,
    _one_input_a_port,
)
