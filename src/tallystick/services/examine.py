"""Examine the data: every invariant, of every tenant, at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.db import tenants
from tallystick.db.audit import NOTICES, RULES
from tallystick.db.audit.rule import Finding, Rule, findings, take_time
from tallystick.db.engine import Database, Tx
from tallystick.domain.ids import Prefix, encode

BREACHES_OF_A_RULE_MAX = 1_000
"""Enough to see what is wrong; a rule that is broken more often is broken for one reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Something that must hold and does not.

    Attributes:
        rule: The rule's name, stable.
        holds: What must hold.
        tenant: Whose data it is, None where it is nobody's.
        object: What breaks the rule: an id as it is known outside, or a bare one.
        about: What was found.
    """

    rule: str
    holds: str
    tenant: str | None
    object: str | None
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What an examination looked at, and every breach it found, rule by rule.

    `notices` break nothing: a person should know of them.
    """

    rules: int
    tenants: int
    breaches: tuple[Breach, ...]
    notices: tuple[Breach, ...] = ()


async def examine(database: Database) -> Examination:
    """Look at everything in one snapshot, so that work in progress is no breach.

    Raises:
        DatabaseUnavailable: It cannot be reached.
    """
    async with database.transaction(isolation="repeatable_read", readonly=True) as tx:
        return await examine_within(tx)


async def examine_within(tx: Tx) -> Examination:
    """Look at everything that a transaction sees."""
    await take_time(tx)
    return Examination(
        rules=len(RULES),
        tenants=len(await tenants.every(tx)),
        breaches=await _found(tx, RULES),
        notices=await _found(tx, NOTICES),
    )


async def _found(tx: Tx, rules: Sequence[Rule]) -> tuple[Breach, ...]:
    breaches: list[Breach] = []
    for rule in rules:
        found = await findings(tx, rule, BREACHES_OF_A_RULE_MAX)
        breaches.extend(_breach(rule, finding) for finding in found)
    return tuple(breaches)


def _breach(rule: Rule, finding: Finding) -> Breach:
    name = None
    if finding.id is not None:
        name = str(finding.id) if rule.kind is None else encode(rule.kind, finding.id)
    return Breach(
        rule=rule.name,
        holds=rule.holds,
        tenant=None if finding.tenant_id is None else encode(Prefix.TENANT, finding.tenant_id),
        object=name,
        about=finding.about,
    )
