"""Numbers that name a person or an account: cards, IBANs, telephones, PESEL and SSN.

Ordinary logs are full of numbers of 9 to 19 digits. So each of these asks for what chance seldom
gives: a checksum, an issuer, a date, or a word that says what follows.
"""

import datetime
import re

from logopsd.patterns import lazy_pattern
from logopsd.privacy.detectors.base import Detector, Find
from logopsd.privacy.detectors.triggers import trigger, triggers

_EIGHT_DIGITS = triggers(
    trigger(
        rb"0000(?<!00000)(?=[ +?-]{0,2}0000)",
        *(rb"(?<!0)0{8}", rb"(?<!0)0000[ +?-]0000", rb"(?<!0)0000[ +?-]{2}0000"),
    )
)
"""Where digits begin and eight of them stand together, as in every card and IBAN.

A blank that does not break is `?` in folded text."""

_CARD = lazy_pattern(
    r"(?:(?<![\w.*-])|(?<=[^\w.*-]-)|(?<=\A-)|(?<=%B)|(?<=(?i:cc))|(?<=(?i:pan_))|(?<=(?i:card_)))"
    r"(?:[0-9]{13,19}+"
    r"|[0-9]{4}([ \xa0]{1,2}|[+-])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?>(\1[0-9]{3}(?!\w))?)"
    r"|[0-9]{4}([ \xa0]{1,2}|[+-])[0-9]{6}\3[0-9]{4,5}+)"
    r"(?![\w*]|\.\d|-(?![0-9]{3,4}+(?![\w-]))\w)"
)
"""13 to 19 digits in one piece, or in the groups that are printed on the card.

Before it may stand a dash that joins nothing, or what says that it is a card (`%B` begins a
magnetic stripe, ISO/IEC 7813). Behind it may stand the three or four digits of the back."""

_ISSUERS = (
    (lazy_pattern(r"4"), (13, 16, 19)),  # Visa
    (lazy_pattern(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (lazy_pattern(r"3[47]"), (15,)),  # American Express
    (lazy_pattern(r"6011|64[4-9]|65"), (16, 17, 18, 19)),  # Discover
    (lazy_pattern(r"36"), (14, 15, 16, 17, 18, 19)),  # Diners Club
    (lazy_pattern(r"30[0-5]|3095|3[89]"), (14, 16, 17, 18, 19)),
    (lazy_pattern(r"352[89]|35[3-8]"), (16, 17, 18, 19)),  # JCB
    (lazy_pattern(r"62"), (16, 17, 18, 19)),  # UnionPay
    (lazy_pattern(r"220[0-4]"), (16, 17, 18, 19)),  # Mir
    (lazy_pattern(r"5018|5020|5038|5893|6304|6759|676[1-3]"), (13, 14, 15, 16, 17, 18, 19)),
)
"""What a card's number begins with, and how long it is then; ISO/IEC 7812."""

_FIRST_DIGITS = frozenset("23456")

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""The sum of the digits of twice a digit, for Luhn's check."""

_IBAN_COUNTRIES = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
    "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 "
    "IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 "
    "MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 "
    "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
"""Countries, and as many characters as their IBANs have; the registry of SWIFT, release 99."""

_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBAN_COUNTRIES.split()}
"""To ask for the length first leaves little to reckon with of a line that is full of beginnings."""

_IBANS = {
    length: lazy_pattern(rf"[A-Za-z0-9]{{4}}(?:[ -]?[A-Za-z0-9]){{{length - 4}}}(?![A-Za-z0-9])")
    for length in sorted(set(_IBAN_LENGTHS.values()))
}
"""An IBAN by its length."""

_IBAN_DIGITS = str.maketrans(
    {char: str(int(char, 36)) for char in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}
)
"""Letters as ISO 13616-1 counts them: A is 10, Z is 35."""

_IBAN_START = lazy_pattern(r"(?<![A-Za-z0-9*])[A-Za-z]{2}[0-9]{2}")

_IBAN_REACH = 24
"""Characters between the beginning of an IBAN and its first eight digits in a row, at most."""

_PHONE = lazy_pattern(
    r"(?<![\w+*])(?:\+|%2[Bb])([1-9](?:[ ().-]{0,2}[0-9]){8,14})(?![\w*]|[.-][0-9])"
)
"""E.164: a plus sign and 9 to 15 digits, as people group them."""

_NATIONAL = lazy_pattern(
    r"""(?:phone|tel|mobile|msisdn|cell)(?:[ _-]?(?:number|no|nr))?\.?
    (?:\\?["'])?[ ]{0,2}[:=]?[ ]{0,2}(?:\\?["'])?
    ([0-9(](?:[ ().-]{0,2}[0-9]){6,14})(?![\w*]|[.-][0-9])""",
    re.VERBOSE | re.IGNORECASE,
)
"""National numbers, which only the word before them tells from other numbers."""

_PESEL = lazy_pattern(r"(?<![\w.*-])[0-9]{11}(?![\w*-]|\.\d)")
_PESEL_NAMED = lazy_pattern(
    r"""pesel(?:[ _-]?(?:number|nr|no|numer))?(?:\\?["'])?[ ]{0,2}[:=\#.]?[ ]{0,2}(?:\\?["'])?
    ([0-9]{11})(?![\w*])""",
    re.VERBOSE | re.IGNORECASE,
)
_PESEL_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
_CENTURIES = {8: 1800, 0: 1900, 2: 2000, 4: 2100, 6: 2200}
"""What the tens of a PESEL's month, made even, say of the year."""

_SSN = lazy_pattern(r"(?<![\w.*-])([0-9]{3})-([0-9]{2})-([0-9]{4})(?![\w*-]|\.\d)")
_SSN_NAMED = lazy_pattern(
    r"""(?:ssn|social[ _-]?security)(?:[ _-]?(?:number|no|nr|num))?\.?(?:[ ]is)?
    (?:\\?["'])?[ ]{0,2}[:=\#]?[ ]{0,2}(?:\\?["'])?
    (?P<ssn>([0-9]{3})[ -]?([0-9]{2})[ -]?([0-9]{4}))(?![\w*])""",
    re.VERBOSE | re.IGNORECASE,
)


def _iban(text: str, at: int) -> Find | None:
    if at < 2:
        return None
    before = text[at - 1]
    if before in " -":
        group = text[at - 5 : at - 1] if at > 4 else ""
        if group.isdigit() or not group.isalnum():
            return None
    elif not before.isalpha():
        return None  # the usual case: a number that has nothing to do with an IBAN
    for start in _IBAN_START.finditer(text, max(at - _IBAN_REACH, 0), at + 4):
        length = _IBAN_LENGTHS.get(start[0][:2].upper())
        match = length and _IBANS[length].match(text, start.start())
        if match and match.end() > at:
            plain = match[0].replace(" ", "").replace("-", "")
            if _is_iban(plain):
                return match.start(), match.end(), f"{plain[:4]}***{plain[-4:]}"
    return None


def _is_iban(plain: str) -> bool:
    """Check the two digits behind the country, ISO 7064 MOD 97-10."""
    return int((plain[4:] + plain[:4]).translate(_IBAN_DIGITS)) % 97 == 1


def _card(text: str, at: int) -> Find | None:
    if text[at] not in _FIRST_DIGITS:  # a time in milliseconds begins with 1
        return None
    match = _CARD.match(text, at)
    if not match:
        return None
    # The last three of 19 digits may be what is printed on the back, or a number of its own.
    for end in (match.end(), match.start(2)):
        printed = text[at : max(end, at)]
        digits = re.sub(r"[^0-9]", "", printed)
        if _is_card(digits):
            return at, end, _keep_ends(printed, len(digits))
    return None


def _is_card(digits: str) -> bool:
    if not any(len(digits) in lengths and p.match(digits) for p, lengths in _ISSUERS):
        return False
    return len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: str) -> bool:
    """Check the last digit, ISO/IEC 7812-1 annex B."""
    odd = sum(map(int, digits[-1::-2]))
    return (odd + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def _keep_ends(printed: str, length: int) -> str:
    """Hide all but the first 6 and the last 4 digits, as PCI DSS 3.4 allows; groups stay."""
    out: list[str] = []
    place = 0
    for char in printed:
        if char in "0123456789":
            out.append(char if place < 6 or place >= length - 4 else "*")
            place += 1
        else:
            out.append(char)
    return "".join(out)


def _phone(text: str, at: int) -> Find | None:
    match = _PHONE.match(text, at)
    if match:
        digits = re.sub(r"\D", "", match[1])
        return match.start(1), match.end(), f"{digits[:2]}***{digits[-2:]}"
    match = _NATIONAL.match(text, at)
    if match:
        return match.start(1), match.end(), f"***{match[1][-2:]}"
    return None


def _is_pesel(digits: str) -> bool:
    """Check the sum and the date, which tells the century by its month."""
    if sum(map(int.__mul__, _PESEL_WEIGHTS, map(int, digits))) % 10:
        return False
    tens = int(digits[2])
    year = _CENTURIES[tens - tens % 2] + int(digits[:2])
    month, day = int(digits[2:4]) % 20, int(digits[4:6])
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def _pesel(text: str, at: int) -> Find | None:
    match = _PESEL.match(text, at)
    return (at, at + 11, "*" * 11) if match and _is_pesel(match[0]) else None


def _pesel_named(text: str, at: int) -> Find | None:
    match = _PESEL_NAMED.match(text, at)
    if not match or not _is_pesel(match[1]):
        return None
    return match.start(1), match.end(1), "*" * 11


def _is_ssn(area: str, group: str, serial: str) -> bool:
    """Check the ranges that are issued: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _ssn(text: str, at: int) -> Find | None:
    match = _SSN.match(text, at)
    return (at, match.end(), "***-**-****") if match and _is_ssn(*match.groups()) else None


def _ssn_named(text: str, at: int) -> Find | None:
    match = _SSN_NAMED.match(text, at)
    if not match or not _is_ssn(*match.groups()[1:]):
        return None
    return match.start("ssn"), match.end("ssn"), "***-**-****"


IBAN = Detector("iban", _EIGHT_DIGITS, _iban)
CARD = Detector("card", _EIGHT_DIGITS, _card)
PHONE = Detector(
    "phone",
    triggers(
        trigger(rb"\+(?=0)", rb"\+0"),
        trigger(rb"%0b(?=0)", rb"%0b0"),
        rb"phone",
        rb"tel",
        rb"mobile",
        rb"msisdn",
        rb"cell",
    ),
    _phone,
)
PESEL = Detector(
    "pesel",
    triggers(trigger(rb"00000000000(?<!000000000000)", rb"(?<!0)0{11}"), rb"pesel"),
    lambda text, at: _pesel(text, at) or _pesel_named(text, at),
)
PESEL_NAMED = Detector("pesel_named", triggers(rb"pesel"), _pesel_named)
_SSN_WORDS = triggers(b"ssn", trigger(rb"social.?security", b"social"))
SSN = Detector(
    "ssn",
    triggers(b"000-00-0000", *_SSN_WORDS),
    lambda text, at: _ssn(text, at) or _ssn_named(text, at),
)
SSN_NAMED = Detector(
    "ssn_named", triggers(b"ssn", trigger(rb"social.?security", b"social")), _ssn_named
)
