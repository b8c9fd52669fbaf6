"""What a version of a plan keeps of the one whose place it takes."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.catalog import PlanAddOn, PlanComponent, PlanTrial, PlanVersion
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.new_plan import NewComponent
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import FeeStructure, Price, RateFee, RatePricing, SlotFee
from tallystick.domain.replaced_plan import kept_price, sells_the_same, with_kept_products

SEAT, USER = SlotFee(unit_name="seat"), SlotFee(unit_name="user")
FEES: list[FeeStructure] = [RateFee(), SEAT, USER]
CHOICE = (Cadence.MONTHLY, RatePricing(rate=Decimal("49.00")))


def component(number: int, name: str, fee: FeeStructure) -> PlanComponent:
    """A component of a product with this number, at EUR 49 a month."""
    cadence, pricing = CHOICE
    price = Price(
        id=UUID(int=number + 1000),
        product_id=UUID(int=number),
        cadence=cadence,
        currency="EUR",
        pricing=pricing,
    )
    return PlanComponent(
        id=UUID(int=number + 2000),
        name=name,
        product_id=UUID(int=number),
        fee=fee,
        prices=(price,),
    )


def version(*components: PlanComponent) -> PlanVersion:
    """A version with these components."""
    return PlanVersion(
        id=UUID(int=9001),
        plan_id=UUID(int=9002),
        plan_name="Pro",
        product_family_id=UUID(int=9003),
        version=1,
        currency="EUR",
        tax_inclusive=False,
        components=components,
        add_ons=(),
        is_published=True,
    )


def wanted(name: str, fee: FeeStructure, product: UUID | None = None) -> NewComponent:
    """A component that is asked for."""
    return NewComponent(name=name, fee=fee, prices=(CHOICE,), product_id=product)


NAMES = st.sampled_from(["Platform", "Seats", "Support"])
PARTS = st.lists(st.tuples(NAMES, st.sampled_from(FEES)), max_size=5)


@given(before=PARTS, asked=PARTS, named=st.integers(0, 5))
def test_no_two_components_share_a_product(
    before: list[tuple[str, FeeStructure]],
    asked: list[tuple[str, FeeStructure]],
    named: int,
) -> None:
    """Each keeps one of its own name and fee, or gets a new one; what names one has it."""
    old = version(*[component(at, *one) for at, one in enumerate(before)])
    new = [
        wanted(*one, product=UUID(int=named) if at == 0 and named else None)
        for at, one in enumerate(asked)
    ]

    kept = with_kept_products(new, [old])

    products = [one.product_id for one in kept if one.product_id is not None]
    assert len(products) == len(set(products))
    by_product = {one.product_id: (one.name, one.fee) for one in old.components}
    for sent, found in zip(new, kept, strict=True):
        assert replace(found, product_id=sent.product_id) == sent
        if sent.product_id is not None:
            assert found.product_id == sent.product_id
        elif found.product_id is not None:
            assert by_product[found.product_id] == (sent.name, sent.fee)
    # Nothing is made anew while there is one left to keep.
    unkept = [(one.name, one.fee) for one in kept if one.product_id is None]
    left = [told for product, told in by_product.items() if product not in products]
    assert not set(unkept) & set(left)


@given(parts=PARTS)
def test_a_version_asked_for_again_keeps_every_product_and_price(
    parts: list[tuple[str, FeeStructure]],
) -> None:
    """The same components once more are the same products at the same prices."""
    old = version(*[component(at, *one) for at, one in enumerate(parts)])

    kept = with_kept_products([wanted(*one) for one in parts], [old])

    products = [one.product_id for one in kept]
    assert sorted(map(str, products)) == sorted(str(one.product_id) for one in old.components)
    for product in products:
        assert product is not None
        price = kept_price([old], product, CHOICE, "EUR")
        assert price is not None
        assert price.product_id == product
        assert kept_price([old], product, CHOICE, "USD") is None


def test_the_draft_comes_before_what_is_sold() -> None:
    """A component that the draft dropped still finds the product that is sold."""
    sold = version(component(1, "Seats", SEAT), component(2, "Platform", RateFee()))
    draft = version(component(3, "Seats", SEAT))

    kept = with_kept_products(
        [wanted("Seats", SEAT), wanted("Platform", RateFee())], [draft, sold]
    )

    assert [one.product_id for one in kept] == [UUID(int=3), UUID(int=2)]


def test_a_component_that_was_renamed_keeps_its_product() -> None:
    """By the name that the draft gave it, and by the one under which it is sold."""
    sold, draft = version(component(1, "Seats", SEAT)), version(component(1, "Users", SEAT))

    for name in ("Seats", "Users"):
        (kept,) = with_kept_products([wanted(name, SEAT)], [draft, sold])
        assert kept.product_id == UUID(int=1)
    (other,) = with_kept_products([wanted("Seats", USER)], [draft, sold])
    assert other.product_id is None


DIFFERENCES = {
    "currency": "USD",
    "tax_inclusive": True,
    "net_terms": 30,
    "period_start_day": 1,
    "billing_cycles": 12,
    "trial": PlanTrial(days=7, is_free=True),
    "minimum": MinimumCommitment(amount=Decimal(100)),
    "components": (component(1, "Seats", SEAT),),
    "add_ons": (PlanAddOn(add_on_id=UUID(int=7)),),
}


def test_every_term_makes_a_difference() -> None:
    """Ids, numbers, names of the plan and being published make none."""
    one = version(component(1, "Fee", RateFee()))
    dressed = replace(one, id=UUID(int=1), version=7, is_published=False, plan_name="Other")

    assert sells_the_same(one, dressed)
    alike = {"id", "plan_id", "plan_name", "product_family_id", "version", "is_published"}
    assert set(PlanVersion.__dataclass_fields__) == alike | set(DIFFERENCES)
    for name, value in DIFFERENCES.items():
        assert not sells_the_same(one, replace(one, **{name: value}))  # type: ignore[arg-type]
