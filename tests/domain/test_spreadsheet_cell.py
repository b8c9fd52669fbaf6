"""No cell of a report is a formula, and each can be read back as it was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.spreadsheet_cell import bare, guarded

DANGEROUS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("=HYPERLINK('https://evil.example')", "'=HYPERLINK('https://evil.example')"),
        ("+33 1 23 45", "'+33 1 23 45"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("  =1", "'  =1"),
        (" \r1", "' \r1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        # What is no formula stays as it is.
        ("-12.50", "-12.50"),
        ("'tis", "'tis"),
        ("Globex = Hooli", "Globex = Hooli"),
        ("", ""),
    ],
)
def test_what_is_written(sent: str, written: str) -> None:
    """An apostrophe before whatever a spreadsheet would carry out."""
    assert guarded(sent) == written
    assert bare(written) == sent


@given(st.text(alphabet=st.sampled_from([*DANGEROUS, *"' 1.a"]), max_size=8))
def test_nothing_is_a_formula_and_nothing_is_lost(sent: str) -> None:
    """Whatever is sent, it comes back, and what is written begins with nothing dangerous."""
    written = guarded(sent)

    assert bare(written) == sent
    begin = written.lstrip(" ")[:1]
    assert begin not in DANGEROUS or not begin or float(written) < 0 or float(written) == 0
