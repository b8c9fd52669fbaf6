"""Create a price of a product."""

from uuid import UUID

from tallystick.db import metrics, prices, products
from tallystick.domain.errors import Conflict, Fault, InvalidInput, NotFound, sentence
from tallystick.domain.new_plan import metric_of
from tallystick.domain.offer_request import NewPrice
from tallystick.domain.pricing import Price, UsageFee, suits
from tallystick.services.context import Context
from tallystick.services.ids import new_id


async def create_price(ctx: Context, product_id: UUID, new: NewPrice) -> Price:
    """Add a price to a product; a price never changes once made.

    Raises:
        NotFound: no such product.
        Conflict: the product is archived, or the metric that it counts with.
        InvalidInput: the pricing does not suit the product's fee.
    """
    await products.keep_as_they_are(ctx.transaction, ctx.tenant.id, [product_id])
    product = await products.load(ctx.transaction, ctx.tenant.id, product_id)
    if product is None:
        raise NotFound("There is no such product.")
    if product.archived_at is not None:
        raise Conflict("This product is archived; unarchive it before giving it a price.")
    metric_id = metric_of(product.fee)
    if metric_id is not None and not await metrics.known_ids(
        ctx.transaction, ctx.tenant.id, [metric_id]
    ):
        raise Conflict("What this product counts with is archived; unarchive the metric first.")
    if not suits(new.pricing, product.fee):
        model = product.fee.model if isinstance(product.fee, UsageFee) else None
        detail = f" with a {model.value} model" if model else ""
        fault = Fault(
            "pricing",
            "wrong_fee_type",
            f"must be {product.fee.type.value} pricing{detail}, as the fee of the product says",
        )
        raise InvalidInput(sentence([fault]), (fault,))
    price = Price(
        id=new_id(),
        product_id=product.id,
        cadence=new.cadence,
        currency=new.currency,
        pricing=new.pricing,
    )
    await prices.insert_many(ctx.transaction, ctx.tenant.id, [price], ctx.now)
    return price
