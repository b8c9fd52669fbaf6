"""A CSV file cut into records while it comes in, without looking into the fields.

UTF-8, with or without a byte order mark; lines end with LF, CR LF or CR; a field in double
quotes may hold separators, line ends and doubled quotes (RFC 4180). Rows are numbered as a
spreadsheet numbers them: the first line is row 1, and blank rows count.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.domain.errors import Fault, InvalidInput

RECORD_CHARS_MAX = 256 * 1024
"""A longer row is a file whose quote was never closed."""
SEPARATORS = ",;\t"
BYTE_ORDER_MARK = "\ufeff"

_LINE_END = re.compile(r"\r\n|\n|\r")
_BLANK = frozenset(' \t\r\n,;"' + BYTE_ORDER_MARK)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Record:
    """A row as it was sent, its line end included."""

    number: int
    text: str

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in it but spaces, quotes and separators."""
        return not set(self.text) - _BLANK


class Records:
    """Cuts a file into records.

    Args:
        separators: What may stand between two fields; one character once it is known.
        number: The number of the first row.
    """

    def __init__(self, separators: str = SEPARATORS, number: int = 1) -> None:
        self.separators = separators
        self.number = number
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._rest = ""
        self._open: list[str] = []
        self._open_chars = 0
        self._has_begun = False

    def feed(self, data: bytes, *, is_last: bool = False) -> Iterator[Record]:
        """The records that are whole with these bytes.

        Raises:
            InvalidInput: It is not UTF-8, holds NUL, or has a row that does not end.
        """
        if not self._has_begun and data:
            self._has_begun = True
            if data.startswith(_UTF_16):
                raise self._refused("invalid_utf8", "is UTF-16: save it as UTF-8")
        try:
            text = self._decoder.decode(data, is_last)
        except UnicodeDecodeError as reason:
            before = reason.object[: reason.start].decode(errors="replace")
            message = f"is not valid UTF-8 near row {self._row_after(before)}: save it as UTF-8"
            raise self._refused("invalid_utf8", message) from None
        before, nul, _ = text.partition("\0")
        if nul:
            message = f"holds the character NUL near row {self._row_after(before)}"
            raise self._refused("invalid_text", message)
        yield from self.cut(text, is_last=is_last)

    def cut(self, text: str, *, is_last: bool = False) -> Iterator[Record]:
        """The records that are whole with this text.

        Raises:
            InvalidInput: A row does not end.
        """
        text, end = self._rest + text, 0
        for line_end in _LINE_END.finditer(text):
            if line_end.end() == len(text) and text.endswith("\r") and not is_last:
                # Perhaps the first half of CR LF.
                break
            begin, end = end, line_end.end()
            yield from self._add(text[begin:end])
        self._rest = text[end:]
        if len(self._rest) + self._open_chars > RECORD_CHARS_MAX:
            raise self._endless()
        if is_last:
            if self._rest:
                yield from self._add(self._rest)
                self._rest = ""
            if self._open:
                message = f"opens a quote in row {self.number} that is never closed"
                raise self._refused("malformed", message)

    def _row_after(self, text: str) -> int:
        """The number of the row behind some text, as far as quotes do not matter."""
        return self.number + len(_LINE_END.findall(self._rest + text))

    def _add(self, line: str) -> Iterator[Record]:
        """Add a line to the record that is open, if one is."""
        if self._open or '"' in line:
            is_open = self._leaves_open(line, is_open=bool(self._open))
            self._open.append(line)
            self._open_chars += len(line)
            if self._open_chars > RECORD_CHARS_MAX:
                raise self._endless()
            if is_open:
                return
            line = "".join(self._open)
            self._open.clear()
            self._open_chars = 0
        elif len(line) > RECORD_CHARS_MAX:
            raise self._endless()
        record = Record(self.number, line)
        self.number += 1
        yield record

    def _leaves_open(self, line: str, *, is_open: bool) -> bool:
        """Whether a quote is open at the end of a line."""
        at = line.find('"')
        while at >= 0:
            if not is_open:
                before = line[at - 1] if at else self.separators[0]
                is_open = before in self.separators or before == BYTE_ORDER_MARK
                at += 1
            elif line[at + 1 : at + 2] == '"':
                at += 2
            else:
                is_open = False
                at += 1
            at = line.find('"', at)
        return is_open

    def _endless(self) -> InvalidInput:
        message = (
            f"has a row ({self.number}) of more than {RECORD_CHARS_MAX} characters: is a quote "
            "not closed?"
        )
        return self._refused("too_long", message)

    def _refused(self, code: str, message: str) -> InvalidInput:
        return refused_file(code, message)


def refused_file(code: str, message: str) -> InvalidInput:
    """What is wrong with a file as a whole; `message` completes "the file ..."."""
    return InvalidInput(f"The file {message}.", (Fault("file", code, message),))


def separator_of(record: str) -> str:
    """The separator of a line of names: the one that it has most of, outside of quotes."""
    outside = re.sub(r'"[^"]*"', "", record)
    return max(SEPARATORS, key=outside.count)


def cells_of(record: str, separator: str) -> list[str]:
    """The fields of a record.

    Raises:
        csv.Error: It is not well-formed.
    """
    text = record.removeprefix(BYTE_ORDER_MARK)
    rows = list(csv.reader([text], delimiter=separator, strict=True))
    return rows[0] if rows else []
