"""The rules of money and time: pure functions on frozen values, standard library only."""
