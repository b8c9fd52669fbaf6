"""What pages and documents share: languages, words, and how a locale writes figures."""
