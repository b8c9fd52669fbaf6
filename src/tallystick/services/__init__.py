"""The verbs: load facts, take one pure decision, save its result, record events."""
