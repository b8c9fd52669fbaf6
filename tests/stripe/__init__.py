"""Test servers of Stripe on loopback; `twin.py` and `proxy.py` say how they are used."""
