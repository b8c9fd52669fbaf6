"""What a network between an adapter and its provider does, which the test bank has not.

The call is made as always; something befalls its HTTP request (`Befalls`).
"""

from collections.abc import Sequence

from tests.faults.outcomes import Outcome
from tests.faults.stripe_bank import Befalls
from tests.stripe.script import Failing, Limited, Repeated

FAILS = Befalls(Failing(500))
FAILS_DONE = Befalls(Failing(500, done=True))
LIMITED = Befalls(Limited())
TWICE = Befalls(Repeated())

CHARGES: Sequence[Outcome] = (
    Outcome(name="confirm fails (500), not done", calls={"confirm": (FAILS,)}, is_swept=True),
    Outcome(name="confirm fails (500), done", calls={"confirm": (FAILS_DONE,)}, is_swept=True),
    Outcome(
        name="open fails (500), not done",
        calls={"open": (FAILS,), "save_method": (FAILS,)},
        is_swept=True,
    ),
    Outcome(
        name="too many requests (429)",
        calls={
            "open": (LIMITED,),
            "save_method": (LIMITED,),
            "confirm": (LIMITED,),
            "look": (LIMITED,),
            "cancel": (LIMITED,),
        },
        is_swept=True,
    ),
    Outcome(
        name="each request arrives twice",
        calls={
            "keep_customer": (TWICE,),
            "open": (TWICE,),
            "save_method": (TWICE,),
            "confirm": (TWICE,),
        },
    ),
    Outcome(
        name="customer made, answer lost",
        calls={"keep_customer": (Befalls(Failing(500, done=True)),)},
        is_swept=True,
    ),
)
"""Of a payment, or of a method that is saved."""

REFUNDS: Sequence[Outcome] = (
    Outcome(name="refund fails (500), not done", calls={"refund": (FAILS,)}, is_swept=True),
    Outcome(name="refund fails (500), done", calls={"refund": (FAILS_DONE,)}, is_swept=True),
    Outcome(name="too many requests (429)", calls={"refund": (LIMITED,)}, is_swept=True),
    Outcome(name="each request arrives twice", calls={"refund": (TWICE,)}),
)
"""Of money that goes back."""
