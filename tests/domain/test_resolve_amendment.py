"""What a request to amend means: what changes, what joins, what leaves."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from tallystick.domain.amended_items import Amendment, Changed, Renamed
from tallystick.domain.amendment_request import (
    ComponentChange,
    QuantityChange,
)
from tallystick.domain.charges import SlotChange
from tallystick.domain.offer_request import (
    AddOnEntry,
    Extra,
    NewProductEntry,
    Parameterized,
    Parameters,
)
from tallystick.domain.pricing import (
    OneTimeFee,
    OneTimePricing,
    Price,
    RateFee,
)
from tests.domain.amending import (
    BACKUP,
    FEBRUARY,
    FEE,
    HELP,
    THREE,
    change,
    facts,
    living,
    own,
    resolved,
    wanted,
)
from tests.domain.orders import (
    ANNUAL,
    MONTHLY,
    PLATFORM,
    SEATS,
    existing,
    new_price,
    price,
    rate_pricing,
    slot_pricing,
)
from tests.domain.samples import named


def test_another_price_takes_the_place_of_the_old_one() -> None:
    """An item of its own, in the place of the old one, at a price made for it."""
    made = resolved(wanted(components=(change(FEE, rate_pricing("49")),)), living(FEE, THREE))

    dearer = rate_pricing("49")
    to = replace(FEE, id=UUID(int=1), price_id=UUID(int=2), pricing=dearer, replaces=FEE.id)
    assert made == Amendment(
        changed=(Changed(item_id=FEE.id, to=to),),
        new_prices=(
            Price(
                id=UUID(int=2),
                product_id=FEE.product_id,
                cadence=MONTHLY,
                currency="EUR",
                pricing=rate_pricing("49"),
            ),
        ),
    )


def test_an_item_that_joined_begins_a_life_of_its_own() -> None:
    """Neither its first day nor what it was charged for is that of the old one."""
    joined = replace(FEE, starts_on=date(2024, 1, 5), billed_from=FEBRUARY)
    lives = replace(living(FEE), items=(joined,))
    (changed,) = resolved(wanted(components=(change(FEE, rate_pricing("49")),)), lives).changed
    assert (changed.to.starts_on, changed.to.billed_from) == (None, None)


def test_a_price_of_the_catalog() -> None:
    """By its id, with its rhythm; none is made."""
    yearly = price("Platform", rate_pricing("300"), ANNUAL)
    entry = ComponentChange(item_id=FEE.id, price=existing(yearly))
    made = resolved(wanted(components=(entry,)), living(FEE), facts(prices=(yearly,)))

    (changed,) = made.changed
    assert (changed.to.price_id, changed.to.cadence) == (yearly.id, ANNUAL)
    assert (changed.to.pricing, changed.to.name) == (yearly.pricing, "Platform")
    assert made.new_prices == ()


def test_a_name_alone_costs_nothing() -> None:
    """It stays the item that it is; so does one whose new price is the old one."""
    made = resolved(wanted(components=(change(FEE, name="Base"),)), living(FEE))
    assert made == Amendment(renamed=(Renamed(item_id=FEE.id, name="Base"),))

    same = resolved(wanted(components=(change(FEE, rate_pricing("29")),)), living(FEE))
    assert same.renamed == (Renamed(item_id=FEE.id, name="Platform"),)
    assert same.changed == ()
    both = wanted(components=(change(FEE, rate_pricing("30"), "Base"),))
    (changed,) = resolved(both, living(FEE)).changed
    assert changed.to.name == "Base"


def test_slots_come_along() -> None:
    """Three of three; of those that were given up, as few as were to be kept."""
    made = resolved(wanted(components=(change(THREE, slot_pricing("12", 1)),)), living(THREE))
    assert made.changed[0].to.slots == 3
    fewer = replace(THREE, slot_changes=(SlotChange(delta=-1, on=FEBRUARY),))
    lives = replace(living(THREE), items=(fewer,))
    (changed,) = resolved(
        wanted(components=(change(THREE, slot_pricing("12", 1)),)), lives
    ).changed
    assert (changed.to.slots, changed.to.slots_on(FEBRUARY)) == (3, 2)


def test_an_add_on_so_many_times() -> None:
    """Two of it become five; its price stays."""
    made = resolved(
        wanted(add_ons=(QuantityChange(item_id=HELP.id, quantity=5),)), living(FEE, HELP)
    )
    to = replace(HELP, id=UUID(int=1), instances=5, replaces=HELP.id)
    assert made == Amendment(changed=(Changed(item_id=HELP.id, to=to),))


def test_what_leaves_is_told_by_its_kind() -> None:
    """In the order of the subscription."""
    made = resolved(
        wanted(removed_components=(THREE.id, FEE.id), removed_add_ons=(HELP.id,)),
        living(FEE, THREE, HELP),
    )
    assert made == Amendment(removed_components=(FEE.id, THREE.id), removed_add_ons=(HELP.id,))


def test_what_joins() -> None:
    """A component of the plan, one that it does not have, and an add-on."""
    extra = Extra(
        name="Audit",
        product=NewProductEntry(name="Audit", fee=RateFee()),
        price=new_price(rate_pricing("15")),
    )
    seats = Parameterized(
        component_id=SEATS.id,
        parameters=Parameters(billing_period=MONTHLY, initial_slot_count=4),
    )
    request = wanted(
        {
            "parameterized": (seats,),
            "extra": (extra,),
            "add_ons": (AddOnEntry(add_on_id=BACKUP.id, quantity=2),),
        }
    )
    made = resolved(request, living(FEE))

    assert [(one.name, one.slots, one.instances, one.kind) for one in made.added] == [
        ("Seats", 4, 1, "COMPONENT"),
        ("Audit", None, 1, "COMPONENT"),
        ("Backup", None, 2, "ADD_ON"),
    ]
    assert made.added[0].component_id == SEATS.id
    assert made.added[2].add_on_id == BACKUP.id
    assert [one.name for one in made.new_products] == ["Audit"]
    assert made.new_products[0].product_family_id == named("family")
    assert [one.pricing for one in made.new_prices] == [rate_pricing("15")]


def test_a_component_that_leaves_can_come_again() -> None:
    """Removed and added by one request, at the plan's price."""
    again = Parameterized(component_id=PLATFORM.id, parameters=Parameters())
    made = resolved(
        wanted({"parameterized": (again,)}, removed_components=(FEE.id,)), living(FEE)
    )
    assert made.removed_components == (FEE.id,)
    assert [one.component_id for one in made.added] == [PLATFORM.id]


def test_a_setup_can_be_added_to_what_runs() -> None:
    """What is charged once has no rhythm: a yearly subscription may have it, too."""
    yearly = living(own("Yearly", rate_pricing("300"), ANNUAL))
    extra = Extra(
        name="Setup",
        product=NewProductEntry(name="Setup", fee=OneTimeFee()),
        price=new_price(OneTimePricing(unit_price=Decimal(99), quantity=1)),
    )
    made = resolved(wanted({"extra": (extra,)}), yearly)
    assert [one.name for one in made.added] == ["Setup"]
