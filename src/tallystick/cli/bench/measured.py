"""What a measurement is: how many, how fast, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles


class BenchFailed(Exception):
    """A measurement means nothing; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How a load generator saw it.

    Attributes:
        done: Requests or transactions that were answered well.
        seconds: How long it took.
        p50_ms: Half of them took no longer, in milliseconds.
        p95_ms: The same, of 95 in a hundred.
        p99_ms: The same, of 99 in a hundred.
    """

    done: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Throughput."""
        return self.done / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Load):
    """A load, and the processor time that each of it cost; None where that cannot be told.

    Attributes:
        what: What was done.
        clients: How many did it at once.
        server_ms: Processor time of the product's processes, in milliseconds, for each.
        postgres_ms: The same of PostgreSQL's processes.
    """

    what: str
    clients: int
    server_ms: float | None
    postgres_ms: float | None


def load_of(latencies_ms: Sequence[float], seconds: float) -> Load:
    """Sum up single latencies.

    Raises:
        BenchFailed: There are too few to speak of percentiles.
    """
    if len(latencies_ms) < 2:  # noqa: PLR2004 - what quantiles takes
        raise BenchFailed("Too few requests came through; give it more --seconds.")
    cuts = quantiles(latencies_ms, n=100, method="inclusive")
    return Load(
        done=len(latencies_ms),
        seconds=seconds,
        p50_ms=cuts[49],
        p95_ms=cuts[94],
        p99_ms=cuts[98],
    )
