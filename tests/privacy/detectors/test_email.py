"""Mail addresses, both ways: what is taken and what is left alone."""

import pytest

from logopsd.privacy.detectors import build
from logopsd.privacy.masking import Masker

MASKER = Masker(build(["email"]))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("jan@example.com", "j***@example.com"),
        ("from jan.kowalski+work@mail.example.co.uk.", "from j***@mail.example.co.uk."),
        ("<jan@example.com>", "<j***@example.com>"),
        ("(jan@example.com)", "(j***@example.com)"),
        ("'jan@example.com'", "'j***@example.com'"),
        ("**jan@example.com**", "**j***@example.com**"),
        ('"jan@example.com"', '"j***@example.com"'),
        ("user=jan@example.com,ok", "user=j***@example.com,ok"),
        ("to:jan@example.com;", "to:j***@example.com;"),
        ("mailto:jan@example.com?subject=x", "mailto:j***@example.com?subject=x"),
        ("sip:jan@example.com:5060", "sip:j***@example.com:5060"),
        ("from=<bounce+jan=example.org@lists.example.com>", "from=<b***@lists.example.com>"),
        ("from=<SRS0=xY/z=AB=a.org=bob@b.com>", "from=<S***@b.com>"),
        ('from=<"jan kowalski"@example.com>', "from=<j***@example.com>"),
        ('"jan kowalski"@example.com', "j***@example.com"),
        ("?user=jan%40example.com&x=1", "?user=j***%40example.com&x=1"),
        ("to%3Djan%40example.com", "to%3Dj***%40example.com"),
        ("to%3Djan@example.com", "to%3Dj***@example.com"),
        ("a%2540example.com", "a***%2540example.com"),
        (r'{"m":"jan\u0040example.com"}', r'{"m":"j***\u0040example.com"}'),
        ("żółć@example.com", "ż***@example.com"),
        ("jan@żółw.example", "j***@żółw.example"),
        ("jan@xn--bcher-kva.example", "j***@xn--bcher-kva.example"),
        ("jan@example.xn--p1ai", "j***@example.xn--p1ai"),
        ("用户@例子.广告", "用***@例子.广告"),
        ("a@b.co", "a***@b.co"),
        ("jan@sklep.so", "j***@sklep.so"),
        ("jan@sklep.zip", "j***@sklep.zip"),
        ("jan@sklep.map", "j***@sklep.map"),
        ("_x@example.com", "_***@example.com"),
        ("jan_k-2@163.com", "j***@163.com"),
        ("a@example.com b@example.com", "a***@example.com b***@example.com"),
        ("a@example.com,b@example.com", "a***@example.com,b***@example.com"),
        ("JAN@EXAMPLE.COM", "J***@EXAMPLE.COM"),
        ("jan@4.3.2.1.dialup.example", "j***@4.3.2.1.dialup.example"),
        ("x" * 200 + "@example.com", "x***@example.com"),
        ("git2@github.com", "g***@github.com"),
        ("from=bounce+jan=example.org@a.com", "from=b***@a.com"),
        ("jan@example.com_token", "j***@example.com_token"),
        ("user-jan@example.com-1", "u***@example.com-1"),
        ("o'brien@example.com", "o***@example.com"),
        ("50%off@example.com", "o***@example.com".join(["50%", ""])),
    ],
)
def test_is_masked(text, masked):
    """The local part goes but for its first character; the word before it and the domain stay."""
    assert MASKER.mask_text(text) == masked
    assert MASKER.mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@example.com",
        "user@host",
        "user@localhost:22",
        "java.lang.Object@1b6d3586",
        "com.acme.Session@7f.3a",
        "git@github.com:acme/repo.git",
        "getty@tty1.service",
        "user@1000.service: Deactivated",
        "x@foo.socket",
        "pkg@1.2.3.tar.gz",
        "pkg@1.2.3.zip",
        "installed pkg@1.2.3-beta.next today",
        "user@1000.slice",
        "lodash@4.17.21",
        "left-pad@1.3.0-beta.next",
        "node_modules/@babel/core/lib.js",
        "npm i @types/node@20.1.0",
        "image@2x.png",
        "actions/checkout@v4",
        "repo@sha256:0123abcd",
        "reached at 312.714 units",
        "++@example.com",
        "...@example.com",
        "a @ b.com",
        "50% 40 percent",
        r"\u0041bc.com",
        "%4012345",
        "u***@example.com",
        "jan@example.c0m",
        'say "@example.com',
        '"@example.com',
        "'\"@example.com",
        "root@83.11.2.3",
    ],
)
def test_is_left_alone(text):
    """Host names, objects, units, packages and what was masked before are no mail address."""
    assert MASKER.mask_text(text) == text


def test_domains_to_keep_stay_readable():
    """A domain that the operator exempts covers those below it."""
    masker = Masker(build(["email"], ["example.com"]))
    text = "a@example.com b@mail.example.com c@badexample.com"
    assert masker.mask_text(text) == "a@example.com b@mail.example.com c***@badexample.com"
