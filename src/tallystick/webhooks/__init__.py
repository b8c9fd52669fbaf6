"""Webhooks outside: signing what is sent, and sending it where anybody may send to."""
