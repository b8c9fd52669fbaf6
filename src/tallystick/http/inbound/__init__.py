"""What payment providers send by themselves."""
