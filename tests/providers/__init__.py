"""Tests of the room that speaks SQL, against the real PostgreSQL."""
