"""One connection to NATS, against a real nats-server."""

import asyncio
import sys
from pathlib import Path

import pytest

from logopsd.bus.address import parse_address
from logopsd.bus.connection import connect
from logopsd.bus.login import Login
from logopsd.errors import LogopsError, RemoteError
from tests.certificates import Authority
from tests.nats_server import NatsServer, client_of
from tests.ports import free_port


def test_the_server_that_answers_is_taken(tmp_path: Path) -> None:
    """One of the servers named is down."""
    with NatsServer(tmp_path) as server:

        async def run() -> str:
            await (await client_of(server.address)).close()  # it is up
            client = await connect(
                parse_address(f"nats://127.0.0.1:{free_port()},127.0.0.1:{server.port}"),
                Login(),
            )
            where = client.connected_url
            await client.close()
            return "" if where is None else str(where.port)

        assert asyncio.run(run()) == str(server.port)


def test_no_server_is_told_as_what_may_pass() -> None:
    """The address is in the text, for who reads a log."""
    address = parse_address(f"nats://127.0.0.1:{free_port()}")

    with pytest.raises(RemoteError, match=f"{address.servers[0]} cannot be reached") as caught:
        asyncio.run(connect(address, Login()))

    assert caught.value.passing


def test_a_refused_login_names_the_settings_and_no_secret(tmp_path: Path) -> None:
    """It does not pass by itself."""
    users = 'authorization { users: [{ user: me, password: "right" }] }'
    with NatsServer(tmp_path, config=users) as server:

        async def run() -> None:
            client = await client_of(server.address, Login(user="me", password="right"))
            await client.close()
            await client_of(server.address, Login(user="me", password="geheim"))

        with pytest.raises(RemoteError, match="LOGOPS_SHIP_PASSWORD_FILE") as caught:
            asyncio.run(run())

    assert not caught.value.passing
    assert "geheim" not in str(caught.value)


def test_a_token_is_shown(tmp_path: Path) -> None:
    """As one way to log in."""
    with NatsServer(tmp_path, config='authorization { token: "t0ken" }') as server:

        async def run() -> None:
            await (await client_of(server.address, Login(token="t0ken"))).close()

        asyncio.run(run())


def test_tls_verifies_the_server_and_shows_our_certificate(tmp_path: Path) -> None:
    """A server that asks for one takes it; one whose issuer we do not know is not taken."""
    authority, other = Authority(tmp_path), Authority(tmp_path / "other", "other")
    own, ours = authority.issue("server", dns=["localhost"]), authority.issue("client")
    tls = (
        f'tls {{ cert_file: "{own.cert}", key_file: "{own.key}", '
        f'ca_file: "{authority.cert}", verify: true }}'
    )
    with NatsServer(tmp_path, config=tls) as server:
        address = parse_address(f"tls://localhost:{server.port}")

        async def run() -> None:
            login = Login(ca=authority.cert, cert=ours.cert, key=ours.key)
            await (await client_of(address, login)).close()
            with pytest.raises(RemoteError, match="cannot be reached"):
                await connect(address, Login(ca=other.cert, cert=ours.cert, key=ours.key))

        asyncio.run(run())


def test_without_nats_py_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)

    with pytest.raises(LogopsError, match=r"pip install 'logopsd\[nats\]'"):
        asyncio.run(connect(parse_address("nats://localhost"), Login()))
