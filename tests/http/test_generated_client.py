"""A client that is generated from the document works, and nothing is left out of it."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.http.conftest import TRUSTED, Served

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
PACKAGE = "generated_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the client; a generator that leaves something out says so, and fails."""
    folder = tmp_path_factory.mktemp("generated")
    settings = folder / "settings.json"
    # Files are bytes to it; what would be run on the code afterwards only formats it.
    files = dict.fromkeys(("application/pdf", "text/csv"), "application/octet-stream")
    config = {"post_hooks": [], "content_type_overrides": files}
    settings.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--fail-on-warning", "--config", str(settings)]
    command += ["--path", str(DOCUMENT), "--output-path", str(folder / PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield folder / PACKAGE
    sys.path.remove(str(folder))


@pytest.fixture
def client(generated: Path, api: Served) -> Iterator[Any]:
    """The client, as the tenant's merchant."""
    package = importlib.import_module(generated.name)
    key = api.tenant.api_key
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=api.url, headers=headers, verify=TRUSTED, timeout=60) as http:
        yield package.AuthenticatedClient(base_url=api.url, token=key).set_httpx_client(http)


def operation(name: str) -> ModuleType:
    """The module of an operation: `customers.customers_post_customer`."""
    return importlib.import_module(f"{PACKAGE}.api.{name}")


def model(kind: str, /, **fields: object) -> Any:  # noqa: ANN401 - known when it is generated
    """An object of the client's own types, read from what would be sent."""
    return getattr(importlib.import_module(f"{PACKAGE}.models"), kind).from_dict(fields)


def test_a_checkout_by_a_generated_client(client: Any) -> None:  # noqa: ANN401
    """A customer, a plan and a checkout session are made, and found in their lists."""
    customer = operation("customers.customers_post_customer").sync(
        client=client, body=model("CustomerCreateRequest", currency="EUR", name="Globex")
    )
    family = operation("product_families.product_families_post_product_family").sync(
        client=client, body=model("ProductFamilyCreateRequest", name="Cloud")
    )
    fee = {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "49.00"}]}
    plan = operation("plans.plans_post_plan").sync(
        client=client,
        body=model(
            "CreatePlanRequest",
            name="Pro",
            plan_type="STANDARD",
            status="ACTIVE",
            currency="EUR",
            product_family_id=family.id,
            components=[{"name": "Platform", "fee": fee}],
        ),
    )
    wanted = model(
        "CreateCheckoutSession", customer_id=customer.id, plan_version_id=plan.version_id
    )
    sessions = operation("checkout_sessions.checkout_sessions_create")
    made = sessions.sync(client=client, body=wanted, idempotency_key="first").session
    again = sessions.sync_detailed(client=client, body=wanted, idempotency_key="first")
    priced = operation("checkout_sessions.checkout_sessions_preview").sync(
        client=client, body=wanted
    )

    assert again.parsed.session == made
    assert again.headers["Idempotent-Replayed"] == "true"
    assert made.checkout_url.startswith("http")
    assert (plan.status, priced.amount_due, str(priced.currency)) == ("ACTIVE", 4900, "EUR")
    assert plan.price_components[0].fee.rates[0].price == "49.00"
    listed = operation("customers.customers_list_customers").sync(client=client, per_page=1)
    assert ([one.id for one in listed.data], listed.pagination_meta.total_items) == (
        [customer.id],
        1,
    )
    found = operation("checkout_sessions.checkout_sessions_list_sessions").sync(client=client)
    assert [one.id for one in found.sessions] == [made.id]
    assert operation("plans.plans_get_plan").sync(plan.id, client=client) == plan
    plans = operation("plans.plans_list_plans").sync(client=client)
    assert [one.name for one in plans.data] == ["Pro"]


def test_an_error_of_a_generated_client(client: Any) -> None:  # noqa: ANN401
    """A refusal is decoded, with the path of each field at fault."""
    refused = operation("customers.customers_post_customer").sync_detailed(
        client=client,
        body=model("CustomerCreateRequest", currency="EUR", billing_email="nobody"),
    )
    missing = operation("customers.customers_get_customer").sync("nobody", client=client)

    assert refused.status_code == 400
    assert refused.parsed.code == "BAD_REQUEST"
    assert [(one.field, one.code) for one in refused.parsed.errors] == [
        ("billing_email", "malformed"),
        ("name", "required"),
    ]
    assert missing.code == "NOT_FOUND"
    assert missing.request_id.startswith("req_")


def test_nothing_is_left_out(generated: Path) -> None:
    """Every operation of the document has its module."""
    modules = {
        module.stem for module in (generated / "api").rglob("*.py") if module.stem != "__init__"
    }
    document = json.loads(DOCUMENT.read_bytes())
    names = {
        one["operationId"].replace("-", "_").replace(".", "_")
        for operations in document["paths"].values()
        for one in operations.values()
    }

    assert modules == names


def test_a_file_by_a_generated_client(client: Any) -> None:  # noqa: ANN401
    """A file is sent as it is."""
    types = importlib.import_module(f"{PACKAGE}.types")
    models = importlib.import_module(f"{PACKAGE}.models")
    made = operation("batch_jobs.batch_jobs_post_batch_job").sync(
        client=client,
        body=types.File(payload=BytesIO(b"name,currency\nHooli,EUR\n")),
        type_=models.ImportType("CUSTOMER_CSV_IMPORT"),
    )

    assert made.id.startswith("bjob_")
