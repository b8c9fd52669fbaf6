"""What a page hands out and believes when it comes back: form tokens, quotes, the paid mark.

Everything is signed under the tenant's secret, for its purpose and its subject, so that nothing
issued for one checkout or invoice is worth anything for another.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tallystick.services.link import Purpose, sign, verify

FORM_COOKIE = "tallystick_form"
"""The cookie that carries the same token as the form."""

PAID_FOR = timedelta(hours=24)
"""How long the browser that paid may see its confirmation."""

_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and verifies for one page: the name of its subject (a session, an invoice) is part
    of every signed text.
    """

    secret: bytes
    subject: str

    def form_token(self) -> str:
        """A new token against forged forms: the form and a cookie carry the same one."""
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        return f"{nonce}.{self._sign(Purpose.FORM, nonce)}"

    def is_form_token(self, token: str) -> bool:
        """Whether we issued this token for this page."""
        nonce, _, signature = token.partition(".")
        return self._verify(Purpose.FORM, nonce, signature)

    def same_form(self, cookie: str, field: str) -> bool:
        """Whether the form's token and the cookie's are the same one, and ours."""
        same = secrets.compare_digest(cookie.encode(), field.encode())
        return same and self.is_form_token(cookie)

    def shown(self, canonical: str) -> str:
        """The signature of a quote that the page shows."""
        return self._sign(Purpose.QUOTE, canonical)

    def believed(self, canonical: str, signature: str) -> str:
        """The quote that the form says was shown, or nothing if we did not show it."""
        return canonical if self._verify(Purpose.QUOTE, canonical, signature) else ""

    def agreed(self, text: str) -> str:
        """The signature of a text that the page asks the buyer to agree to."""
        return self._sign(Purpose.CONSENT, text)

    def is_agreed(self, text: str, signature: str) -> bool:
        """Whether the page that was sent showed exactly this text."""
        return self._verify(Purpose.CONSENT, text, signature)

    def paid(self, attempt_id: UUID, now: datetime) -> str:
        """The mark of the browser that pays with this attempt at `now` (real time)."""
        text = f"{attempt_id}.{int((now + PAID_FOR).timestamp())}"
        return f"{text}.{self._sign(Purpose.PAID, text)}"

    def paid_with(self, mark: str, now: datetime) -> UUID | None:
        """The attempt with which this browser pays, begun not longer ago than `PAID_FOR`."""
        text, _, signature = mark.rpartition(".")
        if not self._verify(Purpose.PAID, text, signature):
            return None
        attempt_id, _, until = text.partition(".")
        return UUID(attempt_id) if int(until) > now.timestamp() else None

    def _sign(self, purpose: Purpose, text: str) -> str:
        return sign(self.secret, purpose, f"{self.subject}\n{text}")

    def _verify(self, purpose: Purpose, text: str, signature: str) -> bool:
        return verify(self.secret, purpose, f"{self.subject}\n{text}", signature)
