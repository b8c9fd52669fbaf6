"""The test bank's challenge page: where a buyer approves or refuses a payment by card."""
