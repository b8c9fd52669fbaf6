"""IBANs: whether one can be real, by its form and its check digits (ISO 13616)."""

import re

_FORM = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_MODULUS = 97


def compact(iban: str) -> str:
    """The IBAN without blanks, in capitals, as it is kept."""
    return re.sub(r"\s", "", iban).upper()


def is_iban(text: str) -> bool:
    """Whether a compact text has the form of an IBAN and the right check digits."""
    if not _FORM.fullmatch(text):
        return False
    moved = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % _MODULUS == 1
