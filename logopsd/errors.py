"""Every error that logopsd raises on purpose; any other exception out of a pure stage is a bug.

LogopsError
 |- SettingsError        the settings cannot be used; carries every problem at once
 |- PayloadError         a request body cannot be read; nothing of it is written
 |- PrivacyError         masking or encryption is impossible; nothing goes out in the clear
 |- TokenError           a stored token that no key at hand opens
 |- ListenError          an address cannot be listened on; names the mend
 |- SinkError            the sink cannot be opened at start; names the mend
 |- RemoteError          a server that is spoken to as a client refuses, or is not there
"""


class LogopsError(Exception):
    """Base of all errors below; its text is fit to be shown to an operator."""


class SettingsError(LogopsError):
    """The settings cannot be used.

    Args:
        problems: one line each: where it stands, what is wrong, and the mend. Never a secret.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PayloadError(LogopsError):
    """A request body that cannot be read as what it says it is.

    The text says what is wrong and where (line, column, item) and never quotes the body.
    """


class PrivacyError(LogopsError):
    """Masking or encryption is not possible as set up."""


class TokenError(LogopsError):
    """A token that none of the keys at hand opens, or that was altered."""


class ListenError(LogopsError):
    """An address cannot be listened on; the text names the mend."""


class SinkError(LogopsError):
    """The directory of the sink cannot be used; the text names the mend."""


class RemoteError(LogopsError):
    """A server that logopsd speaks to as a client refuses, or is not there; names the mend.

    Args:
        text: what is wrong and the mend; free of credentials and of records.
        passing: whether it may go by itself, so that trying again is of use.
        after: seconds after which the server asks to be tried again; 0 where it does not say.
    """

    def __init__(self, text: str, *, passing: bool, after: float = 0.0) -> None:
        super().__init__(text)
        self.passing = passing
        self.after = after
