"""Payment providers behind one port, each of which knows one vendor."""
