"""What a provider may answer, and what a network and a buyer make of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tallystick.db import collections
from tallystick.domain.payment import (
    Cancelled,
    NeedsAction,
    RefundRefused,
    Succeeded,
)
from tallystick.services.charge import take_up
from tallystick.services.late_money import refund_late_money
from tallystick.services.record_purchase import record_purchase
from tallystick.services.settle_debit import settle_debit
from tallystick.services.try_to_collect import carry_on
from tests.faults.bank import Pays
from tests.faults.stage import Case, Stage
from tests.scripted_bank import Step, after, before, lost, says, silent
from tests.world import World

Happens = Callable[[Stage, Case], Awaitable[None]]
Arms = Callable[[Stage, Case], None]


class Buyer(StrEnum):
    """What a buyer does with the bank's challenge."""

    APPROVES = "APPROVES"
    REFUSES = "REFUSES"
    LEAVES = "LEAVES"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What becomes of one charge, or of one refund.

    Attributes:
        name: As it stands in the table.
        pays: What the method does.
        buyer: What the buyer does with a challenge.
        calls: What becomes of the first calls of each kind; after them they go through.
        arm: More of that, for what must know its case.
        is_down: No call of the story reaches the provider.
        is_swept: The story goes on until the sweepers have been there.
        then: What happens after the story, before the worker goes round.
        decides: Whether the provider ever decides about an accepted debit.
        delays: Whether something is on its way when the story is over.
    """

    name: str
    pays: Pays = Pays.GOOD
    buyer: Buyer | None = None
    calls: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    arm: Arms | None = None
    is_down: bool = False
    is_swept: bool = False
    then: Happens | None = None
    decides: bool = True
    delays: bool = False

    def scripts(self, stage: Stage, case: Case) -> None:
        """Tell the case's bank what to do."""
        for call, steps in self.calls.items():
            case.bank.script(call, *steps)
        if self.is_down:
            case.bank.otherwise = silent
        if self.arm is not None:
            self.arm(stage, case)


async def news_arrives(stage: Stage, case: Case, shop: World | None = None) -> None:
    """The provider tells of everything of a customer: at its door, or as one would hear it."""
    shop = shop or stage.world
    if await stage.bank.tells(shop, [case.customer]):
        return
    ctx = shop.ctx
    for reference in await stage.references([case]):
        standing = await stage.bank.provider.look(ctx.tenant.id, reference)
        for row in await stage.world.fetch(
            "select id, state, method ->> 'kind' as method from payment_attempts"
            " where tenant_id = $1 and reference = $2",
            ctx.tenant.id,
            reference,
        ):
            if row["state"] == "LIVE":
                await take_up(ctx, row["id"], give_up=False)
            elif row["method"] == "DIRECT_DEBIT":
                await settle_debit(ctx, reference, standing)
            elif isinstance(standing, Succeeded):
                async with shop.database.transaction() as tx:
                    await record_purchase(ctx, tx, row["id"])
                await refund_late_money(ctx, row["id"])
        for row in await stage.world.fetch(
            "select id, state from collections where tenant_id = $1 and reference = $2",
            ctx.tenant.id,
            reference,
        ):
            if row["state"] == "LIVE":
                async with shop.database.connection() as tx:
                    known = await collections.load(tx, ctx.tenant.id, row["id"])
                assert known is not None, "tries are kept"
                await carry_on(ctx, known, standing)
            else:
                await settle_debit(ctx, reference, standing)


async def _told(stage: Stage, case: Case) -> None:
    await news_arrives(stage, case)


async def _told_twice(stage: Stage, case: Case) -> None:
    await news_arrives(stage, case)
    await news_arrives(stage, case)


async def _lands(_: Stage, case: Case) -> None:
    await case.delayed.deliver()


async def _approves(stage: Stage, case: Case) -> None:
    for reference in await stage.references([case]):
        await stage.bank.answers(stage.world, reference, approve=True)


def _is_told_before(stage: Stage, case: Case) -> None:
    """The news of a confirmation overtakes its answer."""
    case.bank.script("confirm", after(lambda: news_arrives(stage, case)))


def _overtakes(stage: Stage, case: Case) -> None:
    """Buyer and bank are quicker than the answer that a challenge waits."""

    async def happens() -> None:
        await _approves(stage, case)
        await news_arrives(stage, case)

    case.bank.script("confirm", after(happens))


def _settles_before(stage: Stage, case: Case) -> None:
    """The news that a debit is settled overtakes the answer that it is accepted."""

    async def happens() -> None:
        await stage.bank.decides(stage.world, list(case.bank.opened))
        await news_arrives(stage, case)

    case.bank.script("confirm", after(happens))


def delayed(call: str) -> Arms:
    """A call is on its way when everybody has given up."""
    return lambda _, case: case.bank.script(call, case.delayed)


def _lands_meanwhile(_: Stage, case: Case) -> None:
    """A confirmation lands between the sweeper's question and its cancel."""
    case.bank.script("confirm", case.delayed)
    case.bank.script("cancel", before(case.delayed.deliver))


SUCCESS = Outcome(name="success")
DECLINE = Outcome(name="declined", pays=Pays.DECLINED)
NOBODY = Outcome(name="no provider is asked")
DEBITS = (
    Outcome(name="debit accepted, settled", pays=Pays.SETTLES),
    Outcome(name="debit accepted, fails", pays=Pays.BOUNCES),
    Outcome(name="debit accepted, not decided", pays=Pays.SETTLES, decides=False),
    Outcome(name="debit settled before it is recorded", pays=Pays.SETTLES, arm=_settles_before),
)
CHALLENGES = (
    Outcome(name="3-D Secure approved", pays=Pays.ASKS, buyer=Buyer.APPROVES),
    Outcome(name="3-D Secure refused", pays=Pays.ASKS, buyer=Buyer.REFUSES),
    Outcome(name="3-D Secure abandoned", pays=Pays.ASKS, buyer=Buyer.LEAVES, is_swept=True),
    Outcome(name="3-D Secure approved before it is recorded", pays=Pays.ASKS, arm=_overtakes),
)
ASKED = Outcome(
    name="3-D Secure asked for, nobody there",
    calls={"confirm": (says(NeedsAction("http://127.0.0.1/challenge")),)},
)
OPENING = (
    Outcome(
        name="time-out of open, not arrived",
        calls={"open": (silent,), "save_method": (silent,)},
        is_swept=True,
    ),
    Outcome(
        name="time-out of open, arrived",
        calls={"open": (lost,), "save_method": (lost,)},
        is_swept=True,
    ),
)
NETWORK = (
    Outcome(
        name="time-out before the money moved", calls={"confirm": (silent,)}, is_swept=True
    ),
    Outcome(name="time-out after the money moved", calls={"confirm": (lost,)}, is_swept=True),
    *OPENING,
    Outcome(name="provider down", is_down=True, is_swept=True),
    Outcome(
        name="answer of cancel lost",
        calls={"confirm": (silent,), "cancel": (lost,)},
        is_swept=True,
    ),
    Outcome(
        name="answer of look lost", calls={"confirm": (lost,), "look": (lost,)}, is_swept=True
    ),
)
LATE = (
    Outcome(
        name="confirm lands after the sweeper",
        arm=delayed("confirm"),
        is_swept=True,
        then=_lands,
        delays=True,
    ),
    Outcome(
        name="confirm lands under the sweeper",
        arm=_lands_meanwhile,
        is_swept=True,
        then=_lands,
        delays=True,
    ),
    Outcome(
        name="confirm lands before the sweeper",
        arm=delayed("confirm"),
        then=_lands,
        delays=True,
    ),
    Outcome(
        name="open lands after the sweeper",
        arm=lambda stage, case: (
            delayed("open")(stage, case),
            delayed("save_method")(stage, case),
        )[0],
        is_swept=True,
        then=_lands,
        delays=True,
    ),
)
NEWS = (
    Outcome(name="news early", arm=_is_told_before),
    Outcome(name="news late", calls={"confirm": (lost,)}, is_swept=True, then=_told),
    Outcome(name="news instead of an answer", calls={"confirm": (lost,)}, then=_told),
    Outcome(name="news twice", calls={"confirm": (lost,)}, then=_told_twice),
    Outcome(name="no news, no answer", calls={"confirm": (lost,)}),
)

AT_A_PAGE = (SUCCESS, DECLINE, *CHALLENGES, *DEBITS, *NETWORK, *LATE, *NEWS)
"""Of a payment that a buyer is there for."""

TO_SAVE = (SUCCESS, DECLINE, *CHALLENGES, DEBITS[0], *NETWORK, *LATE, *NEWS)
"""Of a method that is saved, and not charged."""

FROM_FILE = (SUCCESS, DECLINE, ASKED, *DEBITS, *NETWORK, *LATE, *NEWS)
"""Of a payment from a saved method."""

REFUNDS = (
    Outcome(name="success"),
    Outcome(name="time-out before the money moved", calls={"refund": (silent,)}, is_swept=True),
    Outcome(name="time-out after the money moved", calls={"refund": (lost,)}, is_swept=True),
    Outcome(name="provider down", is_down=True, is_swept=True),
    Outcome(
        name="refund lands after the sweeper",
        arm=delayed("refund"),
        is_swept=True,
        then=_lands,
        delays=True,
    ),
)
REFUSED = Outcome(name="refused", calls={"refund": (says(RefundRefused("Not this one.")),)})

LIES = {"cancel": (says(Cancelled()),)}
"""The bank says cancelled, and takes the money all the same."""

ENDINGS = (
    Outcome(name="3-D Secure waits", pays=Pays.ASKS),
    Outcome(
        name="3-D Secure approved meanwhile",
        pays=Pays.ASKS,
        arm=lambda stage, case: case.bank.script(
            "cancel", before(lambda: _approves(stage, case))
        ),
    ),
    Outcome(
        name="3-D Secure waits, answer of cancel lost",
        pays=Pays.ASKS,
        calls={"cancel": (lost,)},
        is_swept=True,
    ),
    Outcome(
        name="3-D Secure waits, cancel not arrived",
        pays=Pays.ASKS,
        calls={"cancel": (silent,)},
        is_swept=True,
    ),
    Outcome(name="answer lost", calls={"confirm": (lost,)}, is_swept=True),
    Outcome(name="question lost", calls={"confirm": (silent,)}, is_swept=True),
    Outcome(name="confirm lands afterwards", arm=delayed("confirm"), then=_lands, delays=True),
    Outcome(
        name="confirm lands under the cancel",
        arm=_lands_meanwhile,
        is_swept=True,
        then=_lands,
        delays=True,
    ),
    Outcome(name="debit accepted, settled", pays=Pays.SETTLES),
)
"""Of a payment whose session is ended, or whose buyer wants to pay in another way."""
