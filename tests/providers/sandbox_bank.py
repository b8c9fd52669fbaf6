"""The sandbox as tests drive it."""

from collections.abc import Mapping
from uuid import UUID

from tallystick.db.engine import Database
from tallystick.domain.payment import MethodKind, PaymentOrder
from tallystick.providers.sandbox import Sandbox
from tallystick.services.ids import new_id
from tallystick.services.ports import PaymentProvider
from tests.providers.contract import Case, order_for

CARD_OF = {
    Case.GOOD_CARD: "4242424242424242",
    Case.DECLINED_CARD: "4000000000000002",
    Case.CHALLENGED_CARD: "4000002500003155",
}
IBAN_OF = {
    Case.GOOD_DEBIT: "DE89370400440532013000",
    Case.FAILING_DEBIT: "DE62370400440532013001",
}


def card(number: str) -> Mapping[str, str]:
    """A form that is right but for, perhaps, its number."""
    return {"card_number": number, "card_expiry": "12 / 2034", "card_cvc": "123"}


def debit(iban: str) -> Mapping[str, str]:
    """A direct debit's form."""
    return {"account_holder": "Jane Roe", "iban": iban}


class SandboxBank:
    """The sandbox as the contract's tests drive it."""

    lists_debits = True
    names_mandates = True
    debits_in = "EUR"

    def __init__(self, db: Database, *, debit_seconds: float = 3600) -> None:
        self.db = db
        self.sandbox = Sandbox(
            db, public_url="https://pay.example.com", debit_seconds=debit_seconds
        )
        self.provider: PaymentProvider = self.sandbox
        self.required = {"account_holder", "iban"}

    async def typed(self, case: Case) -> Mapping[str, str]:
        """What a buyer types to get this method."""
        return card(CARD_OF[case]) if case in CARD_OF else debit(IBAN_OF[case])

    def last4(self, case: Case) -> str:
        """The end of this method's number."""
        return (CARD_OF | IBAN_OF)[case][-4:]

    async def answer(self, tenant_id: UUID, reference: str, *, approve: bool) -> None:
        """Answer a challenge as the buyer does."""
        await self.sandbox.answer_challenge(tenant_id, reference, approve=approve)

    async def let_time_pass(self, tenant_id: UUID, reference: str) -> None:
        """Make the time of an accepted debit come."""
        async with self.db.connection() as connection:
            await connection.execute(
                """
                update sandbox.intents set settle_at = now() - interval '1 second'
                where tenant_id = $1 and reference = $2
                """,
                tenant_id,
                reference,
            )

    async def takes_back(self, tenant_id: UUID, reference: str, amount: int) -> None:
        """The bank takes a part of a payment back by itself, as a dispute."""
        await self.sandbox.take_back(tenant_id, reference, "rev", "DISPUTE", amount)

    async def gives_back(self, tenant_id: UUID, reference: str) -> None:
        """That dispute is won."""
        await self.sandbox.decide_dispute(tenant_id, reference, won=True)

    async def moved(self, tenant_id: UUID) -> list[int]:
        """Every movement of the tenant's money: what comes positive, what leaves negative."""
        return [
            movement.amount
            if movement.kind in {"CHARGE", "REINSTATEMENT"}
            else -movement.amount
            for movement in await self.sandbox.movements(tenant_id)
        ]

    async def order_by(self, number: str, *, amount: int = 5412) -> PaymentOrder:
        """A new order of a new tenant, paid with this card."""
        tenant_id = new_id()
        method = await self.sandbox.collect(tenant_id, new_id(), MethodKind.CARD, card(number))
        return order_for(tenant_id, method, amount=amount)
