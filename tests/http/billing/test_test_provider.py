"""Playing the test bank: a debit settles or fails when somebody says so."""

import httpx
import pytest

from tallystick.domain.offer import ExternalPayment
from tallystick.services.examine import examine
from tests.http.billing.test_invoice_changes import only_invoice
from tests.http.billing.test_paying import DEBIT
from tests.world import World


@pytest.mark.parametrize(
    ("part", "status", "due", "told_last"),
    [("settle", "PAID", 0, "invoice.paid"), ("fail", "ERRORED", 4900, "payment.failed")],
)
async def test_the_bank_decides_when_it_is_told_to(
    world: World,
    api: httpx.AsyncClient,
    part: str,
    status: str,
    due: int,
    told_last: str,
) -> None:
    """A pending debit settles or fails at once; what is decided cannot be decided again."""
    session = await world.session(
        await world.customer(alias="globex"), await world.plan(), payment=ExternalPayment()
    )
    await world.confirm(session, chooses=False)
    invoice = await only_invoice(world)
    await api.post("/api/v1/customers/globex/payment-methods", json=DEBIT)
    promised = await api.post(f"{invoice}/pay")
    payment = promised.json()["transactions"][0]["id"]
    path = f"/api/v1/test-provider/payments/{payment}"

    told = await api.post(f"{path}/{part}")
    again = await api.post(f"{path}/{part}")

    assert told.status_code == 200, told.text
    assert (told.json()["payment_status"], told.json()["amount_due"]) == (status, due)
    assert again.status_code == 409
    (last,) = await world.fetch("select type from events order by position desc limit 1")
    assert last["type"] == told_last
    assert sum(await world.charges()) == 4900 - due
    assert (await examine(world.database)).breaches == ()
