"""IPv4 and IPv6 addresses, both ways."""

import pytest

from logopsd.privacy.detectors import build
from logopsd.privacy.masking import Masker

MASKER = Masker(build(["ipv4", "ipv6"]))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("83.11.2.3", "83.11.x.x"),
        ("from 83.11.2.3 port 22", "from 83.11.x.x port 22"),
        ("83.11.2.3:443", "83.11.x.x:443"),
        ("83.11.2.0/24", "83.11.x.x/24"),
        ("[83.11.2.3]", "[83.11.x.x]"),
        ("ip_83.11.2.3_x", "ip_83.11.x.x_x"),
        ("SRC=83.11.2.3 DST=10.0.0.9", "SRC=83.11.x.x DST=10.0.x.x"),
        ("http://83.11.2.3/x", "http://83.11.x.x/x"),
        ("83.11.2.3.", "83.11.x.x."),
        ("83.11.2.3, 83.11.2.4", "83.11.x.x, 83.11.x.x"),
        ("4.3.2.1.dialup.isp.example", "x.x.x.x.dialup.isp.example"),
        ("host 83.11.2.3.static.example.net", "host x.x.x.x.static.example.net"),
        ("83-11-2-3.dialup.example.net", "x-x-x-x.dialup.example.net"),
        ("ip-10-1-2-3.ec2.internal", "ip-x-x-x-x.ec2.internal"),
        ("ec2-83-11-2-3.compute.amazonaws.com", "ec2-x-x-x-x.compute.amazonaws.com"),
        ("083.011.002.003", "083.011.x.x"),
        ("client1/83.11.2.3:1194", "client1/83.11.x.x:1194"),
        ("root@83.11.2.3", "root@83.11.x.x"),
        ("nginx/1.2 83.11.2.3", "nginx/1.2 83.11.x.x"),
        ("IP 83.11.2.3.443 > 10.0.0.9.51413:", "IP 83.11.x.x.443 > 10.0.x.x.51413:"),
        ("83.11.2.3-83.11.2.9", "83.11.x.x-83.11.x.x"),
        ("1.1.1.1", "1.1.x.x"),
        ("server: 83.11.22.33", "server: 83.11.x.x"),
        ("DNS server 83.11.22.33", "DNS server 83.11.x.x"),
        ("resolver 83.11.22.33", "resolver 83.11.x.x"),
        ("driver=83.11.22.33", "driver=83.11.x.x"),
        ("over 83.11.22.33", "over 83.11.x.x"),
        ("prev: 83.11.22.33", "prev: 83.11.x.x"),
        ("android 83.11.22.33", "android 83.11.x.x"),
        ("void 83.11.22.33", "void 83.11.x.x"),
        ("conversion 83.11.22.33", "conversion 83.11.x.x"),
        ("release 83.11.22.33 from pool", "release 83.11.x.x from pool"),
        ("release 8.211.22.33 from pool", "release 8.211.x.x from pool"),
        ("DHCPRELEASE 83.11.22.33", "DHCPRELEASE 83.11.x.x"),
        ("upgrade 83.11.22.33", "upgrade 83.11.x.x"),
        ("extension 83.11.22.33", "extension 83.11.x.x"),
        ("kernel: 83.11.22.33", "kernel: 83.11.x.x"),
        ("kernel: 5.11.22.33", "kernel: 5.11.x.x"),
        ("host ip-83-11-22-33 up", "host ip-x-x-x-x up"),
        ("IP-83-11-22-33", "IP-x-x-x-x"),
        ("ip-83-11-22-33.", "ip-x-x-x-x."),
        ("IP83.11.22.33", "IP83.11.x.x"),
        ("addr:83.11.22.33Bcast:83.11.22.255Mask:x", "addr:83.11.x.xBcast:83.11.x.xMask:x"),
        ("jan@x.pl.83.11.22.33", "jan@x.pl.83.11.x.x"),
    ],
)
def test_ipv4_is_masked(text, masked):
    """Two numbers stay; within a host name all four go, as their order is not known there."""
    assert MASKER.mask_text(text) == masked
    assert MASKER.mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "v2.1.1.108",
        "Nikto v2.1.1.8",
        "build 10.0.19.1",
        "build 10.0.19045.1",
        'packageVersion":"10.7.31.9"',
        '"version": "10.7.31.9"',
        "Version: 1.2.3.4",
        "release=1.2.3.4",
        "firmware 4.3.2.1",
        "Chrome/120.0.0.0 Safari/537.36",
        "Edg/119.0.0.0",
        "1.3.6.1.4.1.311",
        "OID 2.5.29.17",
        "oid=2.5.29.35 x509",
        "1.2.3.4.5",
        "300.1.1.1",
        "1.2.3",
        "1.2.3.256",
        "127.0.0.1:80",
        "0.0.0.0:0",
        "255.255.255.0",
        "1.2.3.4a",
        "took 0.1.2",
        "83.11.x.x",
        "1..2.3.4",
        "12.34.56.7890",
        "libfoo1.2.3.4.so",
        "foo-1.2.3.4.tar.gz",
        "foo_1.2.3.4-1_amd64.deb",
        "2026-11-23-01 report",
        "10-20-30-40",
        "app_version 83.11.2.3",
        "appVersion=83.11.2.3",
        "ver 4.3.2.1",
        "release 4.3.2.1",
        "upgrade: 4.3.2.1",
        "2.5.29.17 extension",
        "1.3.6.1 internet",
        "kernel 5.15.0.91",
        "FW 3.1.0.15",
        "libfoo.so.1.2.3.4",
        ".83.11.2.3",
        "chip-83-11-22-33",
        "ip-83-11-22-333",
        "ip-127-0-0-1",
        "ip-83-11",
    ],
)
def test_ipv4_look_alikes_are_left_alone(text):
    """Versions, object identifiers, netmasks and nobody's addresses stay."""
    assert MASKER.mask_text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("2a02:a31c:1:2::3", "2a02:a31c:x:x:x:x:x:x"),
        ("2a02:a31c:123:abcd:1234:5678:9abc:def0", "2a02:a31c:x:x:x:x:x:x"),
        ("from 2A02:A31C::3.", "from 2a02:a31c:x:x:x:x:x:x."),
        ("2a02::1", "2a02:0:x:x:x:x:x:x"),
        ("[2a02:a31c::3]:443", "[2a02:a31c:x:x:x:x:x:x]:443"),
        ("2a02:a31c::3/64", "2a02:a31c:x:x:x:x:x:x/64"),
        ("fe80::1ff:fe23:4567:890a%eth0", "fe80:0:x:x:x:x:x:x%eth0"),
        ("eth0:2a02:a31c::3", "eth0:2a02:a31c:x:x:x:x:x:x"),
        ("src:2a02:a31c::3", "src:2a02:a31c:x:x:x:x:x:x"),
        ("addr:2a02:a31c::3", "addr:2a02:a31c:x:x:x:x:x:x"),
        ("::ffff:83.11.2.3", "::ffff:83.11.x.x"),
        ("::ffff:530b:203", "::ffff:83.11.x.x"),
        ("[::ffff:83.11.2.3]:80", "[::ffff:83.11.x.x]:80"),
        ("64:ff9b::83.11.2.3", "64:ff9b:x:x:x:x:x:x"),
        ("A099::09C0:4F9A:1", "a099:0:x:x:x:x:x:x"),
        (
            "IP6 2a02:a31c::3.443 > 2a02:a31c::4.51413:",
            "IP6 2a02:a31c:x:x:x:x:x:x.443 > 2a02:a31c:x:x:x:x:x:x.51413:",
        ),
        ("2a02:a31c:1:2:3:4:5:6:443", "2a02:a31c:x:x:x:x:x:x:443"),
        ("2a02:a31c::3:51413", "2a02:a31c:x:x:x:x:x:x:51413"),
        ("2a02:a31c::3: refused", "2a02:a31c:x:x:x:x:x:x: refused"),
        ("2a02:a31c:1:2:3:4:5:6: refused", "2a02:a31c:x:x:x:x:x:x: refused"),
        ("peer=2a02:a31c::", "peer=2a02:a31c:x:x:x:x:x:x"),
        ("ip6_2a02:a31c::3_x", "ip6_2a02:a31c:x:x:x:x:x:x_x"),
        (" :2a02:a31c::3", " :2a02:a31c:x:x:x:x:x:x"),
        ("::1:2a02:a31c:3", "0:0:x:x:x:x:x:x"),
        ("::ffff:83.11.2.3.443", "::ffff:83.11.x.x.443"),
    ],
)
def test_ipv6_is_masked(text, masked):
    """Two groups stay, whatever stands around the address; it is never cut in half."""
    assert MASKER.mask_text(text) == masked
    assert MASKER.mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "12:34:56",
        "out_time=00:00:02",
        "2026-11-23T12:34:56+01:00",
        "std::cout << x",
        "LWP::UserAgent",
        "Foo::Bar2::baz",
        "a::b",
        "face::bed",
        "fade::deed",
        "::",
        "::1",
        "[::1]:8080",
        "::ffff:127.0.0.1",
        ":::::",
        "5c:50:15:01:02:03",
        "50:06:01:60:3b:a0:11:22",
        "SHA1:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd",
        "MAC=aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:08:00",
        "1:2:3:4:5:6:7:8",
        "ratio 1::2",
        "12ab::zz9",
        "2a02::1::2",
        "2a02:a31c::fffff:1",
        "2a02:a31c:x:x:x:x:x:x",
        "x ::ffff:83.11.x.x",
        "c++ ::",
        ":: 1",
        "usb 1-1:1.0: ok",
        "0000:00:14.0",
        "1234:5678:9abc",
        "7:8:9:10:11:12:13:14:15:16:17:18",
        "***2a02:a31c::1",  # what is left of something masked
    ],
)
def test_ipv6_look_alikes_are_left_alone(text):
    """Times, namespaces, hardware addresses, fingerprints and loopback stay."""
    assert MASKER.mask_text(text) == text


def test_networks_to_keep_stay_readable():
    """The operator's own networks are exempt, and no other."""
    masker = Masker(build(["ipv4", "ipv6"], ["10.0.0.0/8", "2a02:a31c::/32"]))
    text = "10.1.2.3 11.1.2.3 2a02:a31c::1 2a03::1"
    assert masker.mask_text(text) == "10.1.2.3 11.1.x.x 2a02:a31c::1 2a03:0:x:x:x:x:x:x"
