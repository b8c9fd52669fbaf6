"""The door for time: the same verbs, asked for by the clock and the queue."""
