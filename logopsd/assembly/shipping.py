"""Makes what shipping is made of, from the settings."""

from collections.abc import Callable
from importlib.util import find_spec

from structlog.typing import FilteringBoundLogger

from logopsd.bus.address import BusAddress
from logopsd.bus.connection import MISSING
from logopsd.bus.login import Login, read_secret
from logopsd.chores.shipping import Shipping
from logopsd.config import Settings
from logopsd.errors import SettingsError
from logopsd.figures.metrics import Metrics
from logopsd.figures.shipping import ShipFigures
from logopsd.shipping.address import TargetAddress
from logopsd.shipping.shipper import Shipper
from logopsd.shipping.target import Target

_OF_NATS = ("ship_credentials_file",)
_OF_LOKI = ("ship_tenant",)


def login(settings: Settings) -> Login:
    """Who we are to the servers of the settings.

    Raises:
        SettingsError: a secret cannot be read.
    """
    return Login(
        credentials_file=settings.ship_credentials_file,
        user=settings.ship_user or "",
        password=read_secret("LOGOPS_SHIP_PASSWORD_FILE", settings.ship_password_file),
        token=read_secret("LOGOPS_SHIP_TOKEN_FILE", settings.ship_token_file),
        ca=settings.ship_ca,
        cert=settings.ship_cert,
        key=settings.ship_key,
    )


def target(address: TargetAddress, settings: Settings) -> Target:
    """Make the target of an address; it connects when something is sent.

    Raises:
        SettingsError: a setting cannot be used, or has no effect with this target.
    """
    who = login(settings)
    if isinstance(address, BusAddress):
        _without_effect(settings, _OF_LOKI, "nats")
        if find_spec("nats") is None:
            raise SettingsError([MISSING])
        from logopsd.bus.messages import Subjects
        from logopsd.shipping.jetstream import JetStream

        return JetStream(address, who, Subjects(settings.ship_subject))
    _without_effect(settings, _OF_NATS, "loki")
    from logopsd.shipping.loki import Loki

    return Loki(address, who, tenant=settings.ship_tenant or "")


def shipper(
    settings: Settings,
    address: TargetAddress,
    *,
    figures: ShipFigures,
    log: FilteringBoundLogger,
    once: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Shipper:
    """Make what sends the folder of the sink to an address; within the event loop it runs in."""
    return Shipper(
        settings.sink_dir,
        target(address, settings),
        figures=figures,
        log=log,
        once=once,
        progress=progress,
    )


def in_daemon(settings: Settings, log: FilteringBoundLogger, metrics: Metrics) -> Shipping | None:
    """Make what ships beside the data, shown in `metrics`; None where LOGOPS_SHIP_TO is not set."""
    address = settings.ship_to
    if address is None:
        return None
    figures = metrics.shipping = ShipFigures()
    return Shipping(lambda: shipper(settings, address, figures=figures, log=log), log)


def _without_effect(settings: Settings, attributes: tuple[str, ...], kind: str) -> None:
    problems = [
        f"LOGOPS_{attribute.upper()} has no effect when shipping to {kind}; remove it"
        for attribute in attributes
        if getattr(settings, attribute) is not None
    ]
    if problems:
        raise SettingsError(problems)
