"""What the HTTP input, the masks and the settings promise of any bytes."""

from collections.abc import Iterator

from logopsd.config.env_file import parse_env
from logopsd.errors import TokenError
from logopsd.listeners.http.inflate import CODINGS, PIECE_BYTES, InflateError, Inflater
from logopsd.listeners.http.messages import Request, Response, Route
from logopsd.listeners.http.requests import KnownHeads, RequestReader
from logopsd.privacy import detectors
from logopsd.privacy.masking import Masker
from logopsd.privacy.tokens import TokenMaker
from tests.fuzz.framers import pieces

_ROUTE = Route(lambda _request, _respond: None)


class _Heard:
    """Writes down what a reader tells."""

    def __init__(self, parts: Iterator[bytes], known: KnownHeads) -> None:
        self.told: list[str] = []
        self.body = b""
        reader = RequestReader(self, peer="192.0.2.1", max_head_bytes=1024, known=known)
        for part in parts:
            reader.receive_data(part)

    def request_begins(self, request: Request) -> None:
        """Begin a request, which somebody serves."""
        request.route = _ROUTE
        self.told.append(f"{request.method} {request.target!r} {request.headers}")

    def request_arrives(self, request: Request) -> None:
        """Take a whole one."""
        self.request_begins(request)
        self.body_arrives(request.body)
        self.request_ends()

    def body_arrives(self, data: bytes) -> None:
        """Add to its body."""
        self.body += data

    def request_ends(self) -> None:
        """End it."""
        self.told.append(f"end {self.body!r}")
        self.body = b""

    def malformed(self, response: Response) -> None:
        """Nothing may follow."""
        self.told.append("malformed")


def http(data: bytes) -> None:
    """Requests are the same however the stream is split, and nothing is told after the end."""
    known = KnownHeads()
    whole, split = _Heard(iter([data]), known).told, _Heard(pieces(data), KnownHeads()).told
    assert _Heard(iter([data]), known).told == whole  # by heads that are known now
    assert "malformed" not in whole[:-1]
    assert "malformed" not in split[:-1]
    # A head is refused for its length sooner where it comes slowly.
    requests = [[each for each in told if each != "malformed"] for told in (whole, split)]
    assert requests[0][: len(requests[1])] == requests[1]


def inflate(data: bytes) -> None:
    """A body inflates in bounded pieces, or is damaged."""
    for coding in CODINGS:
        inflater = Inflater(coding)
        try:
            for part in pieces(data):
                for piece in inflater.inflate(part):
                    assert 0 < len(piece) <= PIECE_BYTES
            inflater.end()
        except InflateError:
            pass


_masker = Masker(detectors.build(detectors.NAMES))


def masking(data: bytes) -> None:
    """A batch is masked as its texts are one by one, and what is masked stays as it is."""
    texts = data.decode(errors="replace").split("\n")
    changed, _ = _masker.mask_many(texts)
    masked = [changed.get(place, text) for place, text in enumerate(texts)]
    assert masked == [_masker.mask_text(text) for text in texts]
    assert [_masker.mask_text(text) for text in masked] == masked


_tokens = TokenMaker(["A" * 43 + "="], random_bytes=bytes)


def token(data: bytes) -> None:
    """A token that nobody made is refused; one that was made is opened."""
    text = data.decode(errors="replace")
    try:
        _tokens.decrypt(text)
    except TokenError:
        pass
    assert _tokens.decrypt(_tokens.encrypt_one(text, 1_795_456_800.0)) == text


def env_file(data: bytes) -> None:
    """A file of settings has entries and problems."""
    for entry in parse_env(data).entries:
        assert entry.line >= 1
