"""Saving a payment method by its test number: `/customers/{id_or_alias}/payment-methods`."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from tallystick.domain.payment import MethodKind
from tallystick.http.door import Entered, Operation, Route
from tallystick.http.v1.scalars import (
    AnswerModel,
    CustomerId,
    CustomerIdOrAlias,
    Instant,
    PaymentMethodId,
    RequestModel,
    ShortText,
)
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.save_payment_method import PaymentMethod, save_payment_method

router = APIRouter(prefix="/customers", tags=["Customers"], route_class=Route)


class CardIn(RequestModel):
    """A published test card, as its buyer would type it."""

    type: Literal["CARD"]
    card_number: ShortText
    card_expiry: Annotated[ShortText, Field(description="Month and year, as in `12/34`.")]
    card_cvc: ShortText


class AccountIn(RequestModel):
    """A published test account, to be debited."""

    type: Literal["DIRECT_DEBIT"]
    account_holder: ShortText
    iban: ShortText


MethodIn = Annotated[CardIn | AccountIn, Field(discriminator="type")]


class PaymentMethodOut(AnswerModel):
    """A payment method on file: what may be shown of it, never a number.

    `card_expiry` is written 12/2034, `account_hint` holds the last four digits of an account.
    """

    id: PaymentMethodId
    customer_id: CustomerId
    type: MethodKind
    card_brand: str | None
    card_last4: str | None
    card_expiry: str | None
    account_hint: str | None
    mandate_reference: str | None
    created_at: Instant


@router.post("/{id_or_alias}/payment-methods", status_code=201, response_model=PaymentMethodOut)
async def post_payment_method(
    door: Entered, id_or_alias: CustomerIdOrAlias, body: MethodIn
) -> Response:
    """Save a test card or account of a customer, in a test tenant; the newest is charged."""
    fields = body.model_dump(exclude={"type"})

    async def save(ctx: Context, operation: Operation) -> PaymentMethod:
        return await save_payment_method(
            ctx, id_or_alias, operation.subject, MethodKind(body.type), fields
        )

    return await door.long(save, _show, subject=new_id(), status=201)


def _show(saved: PaymentMethod) -> PaymentMethodOut:
    method = saved.method
    return PaymentMethodOut.model_construct(
        id=saved.id,
        customer_id=saved.customer_id,
        type=method.kind,
        card_brand=method.card_brand,
        card_last4=method.card_last4,
        card_expiry=method.card_expiry,
        account_hint=method.account_hint,
        mandate_reference=method.mandate_reference,
        created_at=saved.created_at,
    )
