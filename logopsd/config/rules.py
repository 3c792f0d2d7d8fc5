"""What must hold between settings: partners, options without effect, ports taken twice."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping

from logopsd.config.catalogue import PREFIX, Setting
from logopsd.config.settings import Settings

TCP_INPUTS = ("tcp_port", "tls_port", "relp_port", "http_port")
"""The ports that listen on TCP at LOGOPS_BIND."""

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
    for attribute, setting in described.items():
        if attribute in given:
            yield from _without_effect(settings, setting)
    for rule in _RULES:
        yield from rule(settings)


def _name(attribute: str) -> str:
    return PREFIX + attribute.upper()


def _without_effect(settings: Settings, setting: Setting) -> Iterator[Problem]:
    if getattr(settings, setting.attribute) in (False, None, ()):
        return  # what is off itself misleads nobody
    for need in setting.needs:
        attributes, _, word = need.partition("=")
        names = tuple(attributes.split("|"))
        values = [getattr(settings, attribute) for attribute in names]
        if word not in values if word else all(map(_off, values)):
            text = f"{setting.name} has no effect {_while(names, word, values[0])}; set that, "
            yield setting.attribute, names, text + "or remove this"


def _off(value: object) -> bool:
    return value is None or value is False or value == ()  # a port of 0 is any, and on


def _while(names: tuple[str, ...], word: str, value: object) -> str:
    if word:
        return f"without {_name(names[0])}={word}"
    if len(names) > 1:
        return f"without {' or '.join(map(_name, names))}"
    if names[0].endswith("_port"):
        return f"while {_name(names[0])} is 0 (off)"
    return f"without {_name(names[0])}" + ("=true" if value is False else "")


def _tls_partners(settings: Settings) -> Iterator[Problem]:
    for user in ("tls_port", "relp_tls"):
        if _off(getattr(settings, user)):
            continue
        for attribute in ("tls_cert", "tls_key"):
            if getattr(settings, attribute) is None:
                text = f"{_name(user)} needs {_name(attribute)}; name a PEM file there"
                yield user, (attribute,), text


def _key_for_encryption(settings: Settings) -> Iterator[Problem]:
    if settings.encrypt_pii and not settings.keys:
        key = _name("secret_key")
        text = f"{_name('encrypt_pii')} needs {key}; `logopsd keygen` makes a key for it"
        yield "encrypt_pii", ("secret_key", "secret_key_file"), text


def _one_source_of_keys(settings: Settings) -> Iterator[Problem]:
    if settings.secret_key is not None and settings.secret_key_file is not None:
        text = (
            f"{_name('secret_key')} and {_name('secret_key_file')} are both set; "
            "put the key into the file, or remove one of them"
        )
        yield "secret_key", ("secret_key_file",), text


def _prefix_needs_pseudonyms(settings: Settings) -> Iterator[Problem]:
    """The way of masking that can be chosen is that of pseudonyms, and of IPv4 ones alone."""
    if settings.pii_ip != "prefix":
        return
    text = f"{_name('pii_ip')}=prefix has no effect without "
    if not settings.pii_pseudonym:
        name = f"{_name('pii_pseudonym')}=true"
        yield "pii_ip", ("pii_pseudonym",), f"{text}{name}; set that, or remove this"
    elif "ipv4" not in settings.pii_detectors:
        name = f"ipv4 in {_name('pii_detectors')}"
        yield "pii_ip", ("pii_detectors",), f"{text}{name}; add it, or remove this"


def _decrypts_for_loopback_alone(settings: Settings) -> Iterator[Problem]:
    if settings.debug_decrypt_token is None or _is_loopback(settings.metrics_bind):
        return
    bind = _name("metrics_bind")
    text = (
        f"{_name('debug_decrypt_token')} is for local use: {bind} must be a loopback address; "
        "set that to 127.0.0.1, or remove this"
    )
    yield "debug_decrypt_token", ("metrics_bind",), text


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _archives_that_stay(settings: Settings) -> Iterator[Problem]:
    """An archive is as old as its file: at once too old, it would be deleted by the next round."""
    days = settings.archive_retention_days
    if settings.archive_mode == "zip" and 0 < days <= settings.retention_days:
        text = (
            f"{_name('archive_retention_days')} is {days}, no more than "
            f"{_name('retention_days')}: archives would be deleted as soon as they are made; "
            f"raise it, or set {_name('archive_mode')}=delete"
        )
        yield "archive_retention_days", ("retention_days",), text


def _files_of_workers(settings: Settings) -> Iterator[Problem]:
    """What several processes write to one pipe would mix within a line."""
    if settings.workers != 1 and settings.sink_stdout:
        text = (
            f"{_name('sink_stdout')} goes with one process alone: lines of several would mix; "
            f"set {_name('workers')}=1, or remove this"
        )
        yield "sink_stdout", ("workers",), text


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
    _one_source_of_keys,
    _one_input_a_port,
    _archives_that_stay,
    _prefix_needs_pseudonyms,
    _decrypts_for_loopback_alone,
    _files_of_workers,
)
