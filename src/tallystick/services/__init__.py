"""Verbs: one public function for each thing a person can ask for."""
