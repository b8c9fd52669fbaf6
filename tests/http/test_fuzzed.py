"""The API does what its document says, whatever is sent to it.

Requests are made from the document: some that fit it, some that do not, some with ids of things
that exist, and its examples with one part changed. The seed is fixed, so that a failure is met
again; `make fuzz` draws one and asks for longer.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tallystick.http import examples
from tests.http.conftest import Served
from tests.http.purchase.market import Market, open_market
from tests.http.purchase.stock import credited, granted, sent_file
from tests.http.standing import Standing, stock_for_examples
from tests.http.test_authorization_matrix import API

EXAMPLES = int(os.environ.get("TALLYSTICK_FUZZ_EXAMPLES", "12"))
SEED = os.environ.get("TALLYSTICK_FUZZ_SEED")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def market(api: Served, shared_dsn: str) -> Iterator[Market]:
    """A tenant with something of everything."""
    with open_market(api, shared_dsn) as opened:
        stock_for_examples(opened)
        yield opened


@pytest.fixture(scope="module")
def known(market: Market) -> Mapping[str, str]:
    """Ids of things that exist, by the name of the parameter or field that takes them."""
    hook = market.sdk.webhook_endpoints.endpoints.create(url="https://hooks.example/")
    bought = market.bought()
    plan = market.plans["Starter"]
    feature = granted(market)
    assert feature.entitlement is not None
    return {
        "id_or_code": feature.code,
        "feature_id": feature.id,
        "entitlement_id": feature.entitlement.id,
        "id_or_alias": "globex",
        "customer_id": "globex",
        "product_family_id": market.family,
        "product_id": market.products["Priority support"],
        "metric_id": market.metric,
        "plan_id": plan.id,
        "plan_version_id": plan.version_id,
        "add_on_id": market.add_ons["Priority support"].id,
        "coupon_id": market.coupons["LAUNCH20"].id,
        "component_id": market.component("Starter", "Fee"),
        "subscription_id": bought.subscription.id,
        "invoice_id": bought.invoice.id,
        "payment_id": bought.invoice.transactions[0].id,
        "credit_note_id": credited(market, bought.invoice.id),
        "invoicing_entity_id": market.entity_path.rpartition("/")[2],
        "batch_job_id": sent_file(market),
        "endpoint_id": hook.webhook_endpoint.id,
        "id": market.offer().id,
    }


@pytest.fixture(scope="module")
def standing(market: Market) -> Standing:
    """What the examples of the document name, all of it: what is sent may archive the rest."""
    found = Standing(market)
    found.make_all()
    return found


@pytest.fixture(scope="module")
def described(market: Market) -> schemathesis.BaseSchema:
    """The document, as it is served."""
    return schemathesis.openapi.from_url(f"{market.url}/api-docs/openapi.json")


def _with_known(value: Any, known: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """The value with the ids of things that exist, wherever a field takes one."""
    if isinstance(value, Mapping):
        return {
            name: known[name]
            if name in known and isinstance(part, str)
            else _with_known(part, known)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_with_known(part, known) for part in value]
    return value


def bent(example: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - any JSON
    """An example with one of its parts, however deep, replaced by something else."""
    junk = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.sampled_from(["", "0", "-0.01", "1e9", "9" * 40, "2026-02-30", "9999-12-31", "\0"]),
        st.text(max_size=20),
        st.just([]),
        st.just({}),
        st.just([example]),
    )
    if isinstance(example, Mapping) and example:
        return st.sampled_from(sorted(example)).flatmap(
            lambda name: st.one_of(
                bent(example[name]).map(lambda part: {**example, name: part}),
                st.just({one: part for one, part in example.items() if one != name}),
            )
        )
    if isinstance(example, list) and example:
        return st.integers(0, len(example) - 1).flatmap(
            lambda at: bent(example[at]).map(
                lambda part: [*example[:at], part, *example[at + 1 :]]
            )
        )
    return junk


@dataclass(frozen=True)
class Known:
    """What the examples of an operation send, with the ids of things that exist."""

    bodies: list[Any]
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, operation: Any, standing: Standing) -> Self:  # noqa: ANN401
        """The examples of an operation of the document."""
        name = operation.definition.raw["operationId"]
        given = standing.put_in(examples.of_operations().get(name, {}))
        bodies = [one["value"] for one in given.get("examples", {}).values()]
        return cls(bodies, given.get("parameters", {}))

    def drawn(self) -> st.SearchStrategy[Any]:
        """A body to send, often one that is bent; None for none of these."""
        return st.one_of(
            st.none(), *(st.one_of(st.just(one), bent(one)) for one in self.bodies)
        )


@pytest.mark.parametrize("route", sorted(API))
def test_the_document_is_kept(
    described: schemathesis.BaseSchema,
    market: Market,
    known: Mapping[str, str],
    standing: Standing,
    route: str,
) -> None:
    """No defect, no status and no shape that the document does not name."""
    method, _, path = route.partition(" ")
    operation = described[path][method]
    strategies = [
        operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode
    ]

    shown = Known.of(operation, standing)

    @settings(
        max_examples=EXAMPLES,
        derandomize=SEED is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(strategies), named=st.integers(0, 3), body=shown.drawn())
    def kept(case: schemathesis.Case[Any], named: int, body: Any) -> None:  # noqa: ANN401
        if named:
            case.path_parameters = _with_known(case.path_parameters, known)
            case.body = _with_known(case.body, known)
        if body is not None:
            case.body, case.media_type = body, "application/json"
            path = _with_known(case.path_parameters, known)
            case.path_parameters = {
                name: shown.parameters.get(name, value) for name, value in path.items()
            }
        case.call_and_validate(
            headers={"Authorization": f"Bearer {market.tenant.api_key}"}, checks=CHECKS
        )

    if SEED is not None:
        kept = seed(int(SEED))(kept)
    kept()
