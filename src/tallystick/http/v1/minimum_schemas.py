"""Minimum commitments on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.http.v1.scalars import LIST_MAX, PositiveDecimal, ProductId, RequestModel


class AllComponentsScope(RequestModel):
    """Every fee that is billed in periods counts, and all usage."""

    type: Literal["all_components"]


class ProductsScope(RequestModel):
    """Only fees and usage of the listed products count."""

    type: Literal["products"]
    product_ids: Annotated[
        list[ProductId],
        Field(
            min_length=1,
            max_length=LIST_MAX,
            description="The products whose fees and usage count.",
        ),
    ]


class MinimumCommitmentSchema(RequestModel):
    """What each period costs at least: `amount` in major units of the plan's currency."""

    amount: Annotated[
        PositiveDecimal, Field(description="In major units of the plan's currency.")
    ]
    scope: Annotated[
        AllComponentsScope | ProductsScope,
        Field(discriminator="type", description="What counts towards it."),
    ]


def to_minimum(schema: MinimumCommitmentSchema) -> MinimumCommitment:
    """The minimum that was sent."""
    scope = schema.scope
    return MinimumCommitment(
        amount=schema.amount,
        product_ids=tuple(scope.product_ids) if isinstance(scope, ProductsScope) else None,
    )


def show_optional(minimum: MinimumCommitment | None) -> MinimumCommitmentSchema | None:
    """A minimum as it is sent, None where there is none."""
    return None if minimum is None else show_minimum(minimum)


def show_minimum(minimum: MinimumCommitment) -> MinimumCommitmentSchema:
    """A minimum as it is sent."""
    return MinimumCommitmentSchema.model_construct(
        amount=minimum.amount,
        scope=AllComponentsScope.model_construct(type="all_components")
        if minimum.product_ids is None
        else ProductsScope.model_construct(
            type="products", product_ids=list(minimum.product_ids)
        ),
    )
