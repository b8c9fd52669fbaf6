"""The checkout page: what a buyer sees, in four languages, and what their browser may send."""
