"""Customers at Stripe: made once, in words that it takes."""

from tallystick.services.ids import new_id
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
