"""Customers and their methods at Stripe: made once, told anew, and let go."""

import pytest
import stripe

from tallystick.services.ids import new_id
from tests.providers.stripe_banks import TwinBank
from tests.providers.stripe_stub import Stub, refused


async def test_a_customer_is_made_whatever_stripe_thinks_of_its_address() -> None:
    """What Stripe refuses to keep is left out: who is not made can never pay."""
    stub = Stub()
    stub.on("POST", "/v1/customers", refused("email_invalid"), {"id": "cus_1"})
    name, email = "Globex", "billing@globex"

    made = await stub.provider().keep_customer(new_id(), new_id(), name=name, email=email)

    assert made == "cus_1"
    first, second = stub.asked
    assert (first.params["name"], first.params["email"]) == (name, email)
    assert second.params["name"] == name
    assert "email" not in second.params
    assert first.key != second.key


async def test_a_customer_whose_name_is_refused_has_none_there() -> None:
    """Its ids are enough to know it again, and no third refusal is left."""
    stub = Stub()
    stub.on("POST", "/v1/customers", refused(), refused(), {"id": "cus_1"})

    made = await stub.provider().keep_customer(new_id(), new_id(), name="x" * 300, email="a@b")

    assert made == "cus_1"
    assert set(stub.asked[-1].params) == {
        "metadata[tallystick_tenant]",
        "metadata[tallystick_customer]",
    }


@pytest.fixture
def bank(twin_bank: TwinBank) -> TwinBank:
    """Stripe's adapter, and a merchant of its own at the twin."""
    return twin_bank


async def made_at(bank: TwinBank) -> str:
    """The reference of a new customer."""
    return await bank.stripe.keep_customer(
        new_id(), new_id(), name="Jane Roe", email="jane@example.com"
    )


def known_at(bank: TwinBank, reference: str) -> tuple[str | None, str | None]:
    """The name and address that the account has."""
    found = bank.merchant.objects["customer"][reference]
    return found["name"], found["email"]


async def test_the_account_has_what_it_was_told_last(bank: TwinBank) -> None:
    """Also where it was told the same before; an address that is gone is taken away."""
    reference = await made_at(bank)
    states = [("Doe", "doe@example.com"), ("Roe", None), ("Doe", "doe@example.com")]
    for version, (name, email) in enumerate(states):
        for _ in range(2):
            await bank.stripe.update_customer(
                new_id(), reference, name=name, email=email, key=f"told:{version}"
            )
        assert known_at(bank, reference) == (name, email)

    keys = [call.key for call in bank.merchant.called("customers.update")]
    assert len(keys) == len(set(keys)) == 3


async def test_what_stripe_refuses_of_a_change_is_emptied() -> None:
    """What it would keep else is an address that is hers no more."""
    stub = Stub()
    path = "/v1/customers/cus_1"
    stub.on("POST", path, refused("email_invalid"), {"id": "cus_1"})

    await stub.provider().update_customer(
        new_id(), "cus_1", name="Globex", email="billing@globex", key="told:1"
    )

    first, second = stub.asked
    assert first.params == {"name": "Globex", "email": "billing@globex"}
    assert second.params.get("name") == "Globex"
    assert not second.params.get("email")
    assert first.key != second.key


async def test_a_change_that_stripe_refuses_for_good_is_no_answer() -> None:
    """Whoever asked comes back; nothing says that it was told."""
    stub = Stub()
    stub.on("POST", "/v1/customers/cus_1", refused("anything"))

    with pytest.raises(stripe.InvalidRequestError):
        await stub.provider().update_customer(
            new_id(), "cus_1", name="Globex", email=None, key="told:1"
        )


async def test_a_method_that_stripe_will_not_detach_is_no_answer() -> None:
    """It is looked at: what its customer still has is not let go."""
    stub = Stub()
    stub.on("POST", "/v1/payment_methods/pm_1/detach", refused("anything"))
    card = {"brand": "visa", "last4": "4242", "exp_month": 1, "exp_year": 2044}
    kept = {"id": "pm_1", "type": "card", "customer": "cus_1", "card": card}
    stub.on("GET", "/v1/payment_methods/pm_1", kept, kept | {"customer": None})
    provider = stub.provider()

    with pytest.raises(stripe.InvalidRequestError):
        await provider.forget_method(new_id(), "pm_1", key="m:forget")
    await provider.forget_method(new_id(), "pm_1", key="m:forget")

    assert {one.key for one in stub.asked if "detach" in one.call} == {"m:forget"}
