"""What the demo shows: its steps as they are done, and the purchase it has prepared."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from rich.console import Console, Group
from rich.highlighter import JSONHighlighter
from rich.markup import escape
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from tallystick.domain.money import major

TRY_THESE = (
    ("4242 4242 4242 4242", "succeeds"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0025 0000 3155", "asks for 3-D Secure"),
    ("DE89 3704 0044 0532 0130 00", "a direct debit that settles a little later"),
)


class Step:
    """A step that is being done; `say` adds what came of it."""

    def __init__(self) -> None:
        self.remark = ""

    def say(self, remark: str) -> None:
        """Add a remark to the step's line."""
        self.remark = remark


class Screen:
    """Two consoles: one for progress, one for what the demo is about."""

    def __init__(self, progress: Console, result: Console) -> None:
        """Write to these consoles; they may be the same."""
        self._progress = progress
        self._result = result

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while it is being done, and a check mark when it is."""
        step = Step()
        began = time.monotonic()
        try:
            with self._progress.status(f"{title}..."):
                yield step
        except BaseException:
            self._progress.print(f"[red]\N{BALLOT X}[/] {escape(title)}")
            raise
        seconds = f"[dim]{time.monotonic() - began:.1f} s[/]"
        remark = f" [dim]\N{MIDDLE DOT}[/] {escape(step.remark)}" if step.remark else ""
        self._progress.print(
            f"[green]\N{CHECK MARK}[/] {escape(title)}{remark} {seconds}", soft_wrap=True
        )

    def note(self, text: str) -> None:
        """Say something on the way."""
        self._progress.print(f"[yellow]\N{BULLET}[/] {escape(text)}", soft_wrap=True)

    def request(self, curl: str) -> None:
        """Show the request, to be copied into a shell."""
        self._title("The request")
        self._json(curl)

    def answer(self, body: dict[str, Any]) -> None:
        """Show what the API answered."""
        self._title("The answer")
        self._json(json.dumps(body, indent=2, ensure_ascii=False))

    def amounts(self, quote: dict[str, Any]) -> None:
        """Show what is due today, line by line, and what will be due next."""
        self._title("What is due")
        self._result.print(_amounts(quote))

    def link(self, link: str, shop_url: str) -> None:
        """Show the link to the page, and what to type there."""
        self._title("Open this link")
        # Alone on its line and never broken: terminals make it clickable, people copy it.
        self._result.print(
            Text(link, style=f"bold cyan link {link}"), soft_wrap=True, highlight=False
        )
        self._result.print()
        self._result.print(_what_to_type(shop_url))

    def _title(self, text: str) -> None:
        self._result.print()
        self._result.print(Rule(f"[bold]{text}[/]", align="left", style="dim"))

    def _json(self, text: str) -> None:
        self._result.print(JSONHighlighter()(Text(text)), soft_wrap=True)


def money(amount: int, currency: str) -> str:
    """An amount in minor units as people read it."""
    return f"{currency} {major(amount, currency):,}"


def _amounts(quote: dict[str, Any]) -> Table:
    """Today's invoice, line by line."""
    currency = quote["currency"]
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column("what")
    table.add_column("when", style="dim")
    table.add_column("amount", justify="right")
    for line in quote["lines"]:
        table.add_row(escape(line["name"]), _span(line), money(line["amount"], currency))
    for coupon in quote["coupons"]:
        table.add_row(
            f"Coupon {escape(coupon['code'])}", "", money(-coupon["amount"], currency)
        )
    for tax in quote["tax_breakdown"]:
        table.add_row(escape(tax["name"]), "", money(tax["tax_amount"], currency))
    if quote["balance_applied"]:
        table.add_row("Balance", "", money(-quote["balance_applied"], currency))
    table.add_row("[bold]Due today[/]", "", f"[bold]{money(quote['amount_due'], currency)}[/]")
    for charge in quote["upcoming"]:
        usage = " plus usage" if charge["has_usage"] else ""
        table.add_row(
            f"[dim]Due on {charge['due_date']}{usage}[/]",
            "",
            f"[dim]{money(charge['amount_total'], currency)}[/]",
        )
    return table


def _span(line: dict[str, Any]) -> str:
    """The days that a line covers, and how many where they decide its amount."""
    start, end = (date.fromisoformat(line[name]) for name in ("start_date", "end_date"))
    if start == end:
        return "once"
    days = f", {(end - start).days} days" if line["is_prorated"] else ""
    return f"{start:%d %b} to {end:%d %b}{days}"


def _what_to_type(shop_url: str) -> Panel:
    numbers = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for number, outcome in TRY_THESE:
        numbers.add_row(f"[bold]{number}[/]", outcome)
    body = Group(
        "Pay with one of these, any future month and any three digits:",
        "",
        numbers,
        "",
        f"Every plan is for sale at {escape(shop_url)}",
        "Ctrl-C stops everything; the next run finds it all again.",
    )
    return Panel(body, title="What to type", title_align="left", expand=False, padding=(1, 2))
