"""Tables, queries, locks and the queue: the only room that speaks SQL."""
