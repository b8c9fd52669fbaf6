"""The PDFs of invoices and credit notes, as the official client downloads them."""

import io
import json
import re

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid.errors import NotFoundError
from pypdf import PdfReader

from tallystick.documents import typeset as typesetting
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer import BankTransfer, ExternalPayment
from tallystick.services.ids import new_id
from tests.crediting import bought
from tests.shops import selling_under_eu_rules
from tests.world import World

DOWNLOADS = re.compile(r'attachment; filename="([^"]+)"')


def text_of(content: bytes) -> str:
    """What a document says, every blank a plain one."""
    pages = PdfReader(io.BytesIO(content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


async def test_a_paid_invoice(sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World) -> None:
    """EUR 49 and 20 % VAT, paid from EUR 10 of balance and by card, in the buyer's French."""
    await selling_under_eu_rules(world)
    billed = await bought(world, balance=1000)
    path = f"/api/v1/invoices/{encode(Prefix.INVOICE, billed.id)}/download"

    content = await sdk.invoices.download(encode(Prefix.INVOICE, billed.id))
    answer = await api.get(path)

    text = text_of(content)
    for said in (
        "Facture",
        "Acme Cloud SAS",
        "Facturé à Globex",
        "INV-1",
        "TVA 20 % sur 49,00 € 9,80 €",
        "Total TTC 58,80 €",
        "Payé par le solde du compte −10,00 €",  # noqa: RUF001 - a true minus
        "Payé le 10 mars 2026 Visa se terminant par 4242 −48,80 €",  # noqa: RUF001
        "Montant dû 0,00 €",
    ):
        assert said in text
    assert answer.content == content
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="INV-1.pdf"'
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_credit_note(sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World) -> None:
    """Half of it goes to the balance; the document names the invoice."""
    await selling_under_eu_rules(world)
    billed = await bought(world)
    (line,) = await billed.lines()
    body = {
        "invoice_id": encode(Prefix.INVOICE, billed.id),
        "credit_type": "CREDIT_TO_BALANCE",
        "lines": [{"line_item_id": str(line), "quantity": "0.5"}],
        "reason": "Panne",
    }
    note = (await api.post("/api/v1/credit-notes", json=body)).json()

    content = await sdk.credit_notes.download(note["id"])
    answer = await api.get(f"/api/v1/credit-notes/{note['id']}/download")

    text = text_of(content)
    for said in (
        "Avoir",
        "Numéro de l’avoir CN-000001",  # noqa: RUF001 - as French writes it
        "Sur la facture INV-1",
        "Motif Panne",
        "9 avr. 2026 0,5 49,00 20 % 24,50",
        "TVA 20 % sur 24,50 € 4,90 €",
        "Total de l’avoir 29,40 €",  # noqa: RUF001
        "Ajouté au solde du compte 29,40 €",
    ):
        assert said in text
    named = DOWNLOADS.fullmatch(answer.headers["content-disposition"])
    assert named is not None
    assert named[1] == "CN-000001.pdf"


async def test_a_draft_and_what_the_entity_says(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """A draft says so; final, it names the registration and the account to pay to."""
    await world.execute(
        "insert into bank_accounts (tenant_id, id, invoicing_entity_id, holder, iban)"
        " values ($1, $2, $3, 'Acme', 'FR7630006000011234567890189')",
        world.tenant_id,
        new_id(),
        world.entity_id,
    )
    entity = encode(Prefix.INVOICING_ENTITY, world.entity_id)
    patched = await api.patch(
        f"/api/v1/invoicing-entities/{entity}",
        json={"registration": "RCS Paris 303 265 045", "brand_color": "#aa2200"},
    )
    assert patched.json()["registration"] == "RCS Paris 303 265 045"
    customer = await world.customer(preferred_locales=["de"], buyer_reference="04011000-1234")
    session = await world.session(
        customer,
        await world.plan(),
        payment=BankTransfer(),
        auto_advance_invoices=False,
        net_terms=14,
    )
    await world.confirm(session, chooses=False)
    (listed,) = [one async for one in sdk.invoices.list()]

    draft = text_of(await sdk.invoices.download(listed.id))
    await api.post(f"/api/v1/invoices/{listed.id}/finalize")
    final = text_of(await sdk.invoices.download(listed.id))

    assert "ENTWURF" in draft
    assert "IBAN" not in draft
    for said in (
        "RCS Paris 303 265 045",
        "IBAN FR76 3000 6000 0112 3456 7890 189",
        "Verwendungszweck INV-1",
        "Ihre Referenz 04011000-1234",
        "Zahlungsbedingungen 14 Tage netto",
        "Zahlbar bis 24. März 2026",
    ):
        assert said in final
    assert "ENTWURF" not in final


async def test_registration_is_fixed_with_the_invoice(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """A later change of the entity does not change what an invoice said; null clears it."""
    entity = f"/api/v1/invoicing-entities/{encode(Prefix.INVOICING_ENTITY, world.entity_id)}"
    await api.patch(entity, json={"registration": "RCS Paris 1"})
    billed = await bought(world)
    cleared = (await api.patch(entity, json={"registration": None})).json()
    long = await api.patch(entity, json={"registration": "x" * 501})

    text = text_of(await sdk.invoices.download(encode(Prefix.INVOICE, billed.id)))

    assert cleared["registration"] is None
    assert long.status_code == 400
    assert [one["field"] for one in long.json()["errors"]] == ["registration"]
    assert "RCS Paris 1" in text


async def test_nobody_else_s(sdk: AsyncMeteroid) -> None:
    """What is not there is not found, and the answer is an error as everywhere."""
    with pytest.raises(NotFoundError):
        await sdk.invoices.download(encode(Prefix.INVOICE, new_id()))
    with pytest.raises(NotFoundError):
        await sdk.credit_notes.download(encode(Prefix.CREDIT_NOTE, new_id()))


async def test_one_that_is_not_ready(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be asked for again after a moment."""
    billed = await bought(world)
    monkeypatch.setattr(typesetting, "LIMIT_SECONDS", 0)

    answer = await api.get(f"/api/v1/invoices/{encode(Prefix.INVOICE, billed.id)}/download")

    assert (answer.status_code, answer.headers["retry-after"]) == (409, "5")
    assert json.loads(answer.content)["code"] == "CONFLICT"


async def test_a_void_invoice(sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World) -> None:
    """It is kept, and says that nothing is to be paid."""
    session = await world.session(
        await world.customer(), await world.plan(), payment=ExternalPayment()
    )
    await world.confirm(session, chooses=False)
    (listed,) = [one async for one in sdk.invoices.list()]
    await api.post(f"/api/v1/invoices/{listed.id}/void")

    text = text_of(await sdk.invoices.download(listed.id))

    assert "ANNULÉE" in text
    assert "Cette facture a été annulée le 10 mars 2026." in text
