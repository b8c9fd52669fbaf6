"""The test bank behind a panel that a provider's own script draws: tokens name its numbers."""

from collections.abc import Mapping
from uuid import UUID

from typing_extensions import override

from tallystick.db.engine import Database
from tallystick.domain.debit_scheme import DebitAgent, DebitScheme
from tallystick.domain.errors import Fault
from tallystick.domain.payment import Method, MethodKind, MethodRefused
from tallystick.domain.payment_panel import MountedPanel
from tallystick.providers.panel_modules import panel_modules
from tallystick.providers.sandbox import Sandbox

MODULE = panel_modules()["stripe"]
KEY = "pk_test_browser"
UNKNOWN = "pm_1111"
"""A token that this bank refuses."""


class MountedBank(Sandbox):
    """A test bank whose script comes from `origin`, and whose challenges from `challenges`."""

    def __init__(self, database: Database, origin: str, challenges: str) -> None:
        super().__init__(database, public_url=challenges, debit_seconds=5)
        self.origin = origin

    @override
    def panel(self) -> MountedPanel:
        """The fields of the script, and a mandate that names another beside the creditor."""
        return MountedPanel(
            script_url=f"{self.origin}/script.js",
            module=MODULE,
            settings={"publishable_key": KEY},
            script_sources=(self.origin,),
            frame_sources=(self.origin,),
            connect_sources=(self.origin,),
            debit_agents={DebitScheme.SEPA: DebitAgent(name="Acme Pay", legal_name="Acme Pay")},
        )

    @override
    async def collect(
        self, tenant_id: UUID, session_id: UUID, kind: MethodKind, fields: Mapping[str, str]
    ) -> Method:
        """The method of the number that a token names."""
        assert set(fields) == {"payment_token"}, "the page sends the token alone"
        token = fields["payment_token"]
        if token == UNKNOWN:
            raise MethodRefused((Fault("payment_token", "invalid", "is no payment method"),))
        number = token.removeprefix("pm_")
        typed = (
            {"card_number": number, "card_expiry": "12/40", "card_cvc": "123"}
            if kind is MethodKind.CARD
            else {"iban": number, "account_holder": "Dana Globex"}
        )
        return await super().collect(tenant_id, session_id, kind, typed)
