"""What is read of a coupon to decide whether it may be redeemed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tallystick.db import coupons
from tallystick.db.engine import Database
from tallystick.domain.coupons import CouponState, CouponTerms, Fixed, Percentage
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tests.world import NOON, World, open_world


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


async def test_terms_and_state_are_read_by_id(world: World) -> None:
    """Everything that decides is read in one go; what does not exist is left out."""
    plan = await world.plan()
    discount = Fixed(amount=Decimal("10.50"), currency="EUR")
    coupon = await world.coupon(
        "TEN",
        discount,
        recurring_value=3,
        redemption_limit=5,
        taken=2,
        reusable=False,
        disabled=True,
        expires_at=NOON + timedelta(days=1),
    )
    await world.execute(
        "insert into coupon_plans values ($1, $2, $3)", world.tenant_id, coupon, plan.id
    )

    async with world.database.connection() as tx:
        found = await coupons.load_by_ids(tx, world.tenant_id, [coupon, new_id()])
        elsewhere = await coupons.load_by_ids(tx, new_id(), [coupon])

    assert found == {
        coupon: (
            CouponTerms(
                id=coupon,
                code="TEN",
                discount=discount,
                recurring_value=3,
                once_per_customer=True,
            ),
            CouponState(
                expires_at=NOON + timedelta(days=1),
                disabled=True,
                archived=False,
                redemption_limit=5,
                taken=2,
                plan_ids=frozenset({plan.id}),
                used_by_customer=False,
            ),
        )
    }
    assert elsewhere == {}


async def test_a_code_finds_the_unarchived_coupon_exactly(world: World) -> None:
    """Another case of letters is another code; an archived coupon gives its code free."""
    half = Percentage(percentage=Decimal(50))
    await world.coupon("HALF", half, archived_at=NOON)
    coupon = await world.coupon("HALF", half)

    async with world.database.connection() as tx:
        found = await coupons.load_by_code(tx, world.tenant_id, "HALF")
        other = await coupons.load_by_code(tx, world.tenant_id, "half")

    assert found is not None
    assert found[0].id == coupon
    assert other is None


async def test_a_redemption_marks_the_customer_who_made_it(world: World) -> None:
    """The customer who redeemed it has used it; another one has not."""
    coupon = await world.coupon("HALF", Percentage(percentage=Decimal(50)))
    customer = await world.customer()
    session = await world.session(customer, await world.plan(), coupon_ids=(coupon,))
    assert await world.confirm(session) == Completed()

    async with world.database.connection() as tx:
        used = [
            (await coupons.load_by_ids(tx, world.tenant_id, [coupon], one))[coupon][1]
            for one in (customer, new_id(), None)
        ]

    assert [state.used_by_customer for state in used] == [True, False, False]
    assert [state.taken for state in used] == [1, 1, 1]
