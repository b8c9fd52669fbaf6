"""The golden stories: the reference's own lives, step by step through the services."""

from copy import deepcopy
from typing import Any

import pytest

from tallystick.services.confirm_result import Challenge
from tests.cases.golden import case, row_id, rows
from tests.scenarios.golden_lives import begin
from tests.world import World

AS_THEY_STAND = [
    *("SUB-01", "SUB-03", "SUB-06", "SUB-08", "SUB-09"),
    *("TRI-01", "TRI-03", "TRI-04", "TRI-06", "TRI-08", "TRI-11"),
    *("MIG-01", "MIG-03", "MIG-04"),
    *("CPN-01", "CPN-03", "CPN-04", "CPN-06", "CPN-08", "CPN-09", "CPN-11"),
    *("CPN-13", "CPN-14"),
]
_CUT = "the reference charges the last period cut by end_date in full"
# 10 of the 31 days from February 29 are 3500 x 10 / 31; 14 of February's 29 are 3500 x 14 / 29.
CUT_SHORT = {"SUB-04": 1129, "SUB-11": 1690}


@pytest.mark.parametrize("case_id", AS_THEY_STAND)
async def test_a_life_is_as_the_case_tells_it(world: World, case_id: str) -> None:
    """Status, period, action, counts and amounts after each step, and of each invoice."""
    await _lives(world, case(case_id), case(case_id)["expected"])


@pytest.mark.parametrize("case_id", sorted(CUT_SHORT))
async def test_a_life_cut_by_its_end_date(world: World, case_id: str) -> None:
    """The same but for our decision: the cut period is prorated, and the value goes to zero."""
    told = case(case_id, decided=_CUT)
    expected: dict[str, Any] = deepcopy(told["expected"])
    amount = CUT_SHORT[case_id]
    last = {**expected["invoices"][1], "total": amount, "prorated": True}
    if "amount_due" in last:
        last["amount_due"] = amount
    expected["invoices"] = [expected["invoices"][0], last]
    expected["per_step"][-1]["subscription"]["mrr"] = 0

    await _lives(world, told, expected)


@pytest.mark.parametrize("row", rows("MIG-06"), ids=row_id)
async def test_an_import_after_its_trial(world: World, row: dict[str, Any]) -> None:
    """MIG-06: active, without invoices, in the period that contains the day of the import."""
    asked = {**case("MIG-06")["input"], "plan": row["plan"], "today": "2026-03-20"}

    life = await begin(world, {"input": asked})

    told = await life.told()
    assert (told["status"], told["imported"]) == (row["status"], row["imported"])
    assert told["trial_days"] == row["trial_days"]
    assert told["cycle_index"] > row["cycle_index_gt"]
    assert len(await life.invoices()) == row["invoice_count"]


@pytest.mark.parametrize("row", rows("ACT-01"), ids=row_id)
async def test_how_it_begins(world: World, row: dict[str, Any]) -> None:
    """ACT-01: status, next action and first invoice by activation and trial."""
    asked = {key: row[key] for key in ("activation", "plan", "trial_days")}

    life = await begin(world, {"input": {**case("ACT-01")["input"], **asked}})

    told = await life.told()
    for name in ("status", "next_action", "pending_checkout"):
        if name in row:
            assert told[name] == row[name], name
    made = await life.invoices()
    assert [one["total"] for one in made] == [row.get("total")] * row["invoices"]


@pytest.mark.parametrize("case_id", ["TRI-13"])
async def test_an_expired_trial_is_revived(world: World, case_id: str) -> None:
    """TRI-13: billed from the day of its checkout, here the day on which the trial ended."""
    told = case(case_id, decided="billed from the day of confirmation")
    await _lives(world, told, told["expected"])


@pytest.mark.parametrize("case_id", ["CPN-16"])
async def test_a_coupon_waits_for_the_trials_end(world: World, case_id: str) -> None:
    """CPN-16: 20 % off the first invoice, after a checkout of a matching quote of nothing."""
    told = case(case_id, decided="the confirmed quote must match here, also at zero")
    await _lives(world, told, told["expected"])


@pytest.mark.parametrize("case_id", ["CHK-01"])
async def test_a_checkout_without_trial(world: World, case_id: str) -> None:
    """CHK-01: pending until its checkout; then active with an invoice that is paid at once."""
    told = case(case_id, decided="no draft or unpaid invoice stands")
    await _lives(world, told, told["expected"])
    (made,) = [
        _invoice_told(row) for row in await world.fetch("select * from invoices order by id")
    ]
    assert made == ("FINALIZED", "PAID", 3500)


@pytest.mark.parametrize("case_id", ["CHK-03"])
async def test_an_accepted_debit_activates(world: World, case_id: str) -> None:
    """CHK-03: active at once, its invoice final and PROCESSING."""
    told = case(case_id)
    await _lives(world, told, told["expected"])


@pytest.mark.parametrize("case_id", ["CHK-04"])
async def test_a_challenge_leaves_nothing_behind(world: World, case_id: str) -> None:
    """CHK-04: pending while the buyer is at the bank, and no invoice before it is recorded."""
    told = case(case_id, decided="no draft or unpaid invoice stands")
    life = await begin(world, told)

    await life.take(told["steps"][1])

    assert isinstance(life.outcome, Challenge)
    assert (await life.told())["status"] == told["expected"]["subscription"]["status"]
    assert await life.invoices() == []


def _invoice_told(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["status"], row["payment_status"], row["total"]


async def _lives(world: World, told: dict[str, Any], expected: dict[str, Any]) -> None:
    """Live through the steps of a case, and find what is expected on the way and at last."""
    steps = {one["step"]: one for one in expected.get("per_step", ())}
    counts = expected.get("invoice_counts_per_step")
    life = await begin(world, told)
    last = len(told["steps"]) - 1
    _agrees(await life.told(), expected.get("initial", {}))
    for number, step in enumerate(told["steps"]):
        if step["do"] == "cancel":
            _agrees(await life.told(), expected.get("before_cancel", {}))
        if number:
            await life.take(step)
        here = steps.get(number, {})
        _agrees(await life.told(), here.get("subscription", {}))
        made = await life.invoices()
        if "invoice_count" in here:
            assert len(made) == here["invoice_count"], number
        if counts is not None:
            assert len(made) == counts[number], number
        if number == last:
            _agrees(await life.told(), expected.get("subscription", {}))
            _agrees_at_last(await life.told(), made, expected)


def _agrees_at_last(
    stands: dict[str, Any], made: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    final = expected.get("final", {})
    _agrees(stands, final.get("subscription", {}))
    count = final.get("invoice_count", expected.get("invoice_count"))
    if count is not None:
        assert len(made) == count
    assert len(made) <= final.get("invoice_count_max", len(made))
    for wanted in expected.get("invoices", ()):
        _agrees(made[wanted["index"]], {k: v for k, v in wanted.items() if k != "index"})
    days = {one["invoice_date"] for one in made}
    assert days.isdisjoint(expected.get("no_invoice_on", ()))


def _agrees(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert {name: found[name] for name in wanted} == wanted
