"""Receive a file that is to be imported: cut it into chunks while it comes in, and store them.

Nothing of it is kept in memory but the chunk that is being filled, and nothing in a file, since
the workers may be on other machines. What can be told of the file as a whole is told at once:
its encoding, its columns, rows that do not end.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from tallystick.domain.batch_job import BatchJobType, Chunk
from tallystick.http.v1.csv_records import (
    BYTE_ORDER_MARK,
    Record,
    Records,
    refused_file,
    separator_of,
)
from tallystick.http.v1.import_rows import header_of
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.start_import import NewImport, add_chunk, begin_import, discard_import

CHUNK_CHARS_MAX = 512 * 1024
CHUNK_ITEMS_MAX = {
    BatchJobType.CUSTOMER_CSV_IMPORT: 200,
    BatchJobType.SUBSCRIPTION_CSV_IMPORT: 100,
    BatchJobType.EVENT_CSV_IMPORT: 1000,
}
_SEPARATOR_LINE = "sep="
"""How some spreadsheets name the separator in a line before all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for with a file; `created_by` as in `NewImport`."""

    job_id: UUID
    job_type: BatchJobType
    created_by: UUID
    file_name: str | None
    allow_backfilling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What has come in: `digest` tells this file from every other."""

    input_bytes: int
    items: int
    chunks: int
    digest: bytes


async def receive_import(
    ctx: Context, asked: Asked, stream: AsyncIterator[bytes], *, keeps: bool = True
) -> Received:
    """Store a file part by part, in transactions of its own; its job then waits to be finished.

    A file at fault is read to its end all the same, since many clients hear an answer only
    when they have sent everything. What was stored of it is forgotten.

    Args:
        ctx: Who, when; without a transaction.
        asked: What the file is to become.
        stream: Its bytes.
        keeps: Whether to store it; otherwise it is only looked at and counted.

    Raises:
        InvalidInput: The file cannot be imported as a whole.
        BodyTooLarge: It is over the limit.
        Conflict: The job was cancelled meanwhile.
    """
    digest, total = hashlib.sha256(), 0
    receiving = _Receiving(ctx=ctx, asked=asked, keeps=keeps)
    try:
        async for piece in stream:
            digest.update(piece)
            total += len(piece)
            await receiving.take_unless_refused(piece)
        await receiving.finish()
    except BaseException:
        if receiving.has_begun:
            await discard_import(ctx, asked.job_id)
        raise
    return Received(
        input_bytes=total,
        items=receiving.items,
        chunks=receiving.position,
        digest=digest.digest(),
    )


@dataclass(slots=True, kw_only=True)
class _Receiving:
    """A file on its way: `before` is what stands before its rows, `texts` the next chunk."""

    ctx: Context
    asked: Asked
    keeps: bool
    records: Records = field(default_factory=Records)
    before: list[str] = field(default_factory=list)
    has_header: bool = False
    has_begun: bool = False
    position: int = 0
    items: int = 0
    texts: list[str] = field(default_factory=list)
    chars: int = 0
    first_row: int = 0
    first_item: int = 0
    refused: Exception | None = None

    async def take_unless_refused(self, piece: bytes) -> None:
        """Take a piece; after one that was refused the rest is not looked at."""
        if self.refused is None:
            try:
                await self.take(piece)
            except Exception as reason:  # noqa: BLE001 - raised when all has come in
                self.refused = reason

    async def take(self, piece: bytes, *, is_last: bool = False) -> None:
        """Cut a piece into records, and store each chunk that is full."""
        for record in self.records.feed(piece, is_last=is_last):
            if not self.has_header:
                await self._take_before(record)
                continue
            if not self.texts:
                self.first_row, self.first_item = record.number, self.items
            self.texts.append(record.text)
            self.chars += len(record.text)
            self.items += not record.is_blank
            if (
                self.items - self.first_item == CHUNK_ITEMS_MAX[self.asked.job_type]
                or self.chars >= CHUNK_CHARS_MAX
            ):
                await self._store()

    async def finish(self) -> None:
        """Take what is left when the file has ended.

        Raises:
            InvalidInput: There is nothing in it to import, or a piece was refused.
        """
        if self.refused is not None:
            raise self.refused
        await self.take(b"", is_last=True)
        if not self.has_header:
            raise refused_file("required", "is empty")
        if self.items == 0:
            raise refused_file("required", "has no rows below its line of names")
        if self.texts:
            await self._store()

    async def _take_before(self, record: Record) -> None:
        """Take what stands before the rows: blank lines, `sep=`, the line of names."""
        self.before.append(record.text)
        line = record.text.removeprefix(BYTE_ORDER_MARK)
        named = line.strip().lower().removeprefix(_SEPARATOR_LINE)
        if record.is_blank or (line.lower().startswith(_SEPARATOR_LINE) and len(named) <= 1):
            return
        separator = separator_of(line)
        header_of(self.asked.job_type, line, separator)
        self.has_header = True
        self.records.separators = separator
        if self.keeps:
            await self._begin(separator)

    async def _begin(self, separator: str) -> None:
        new = NewImport(
            id=self.asked.job_id,
            job_type=self.asked.job_type,
            created_by=self.asked.created_by,
            file_name=self.asked.file_name,
            separator=separator,
            header="".join(self.before),
            allow_backfilling=self.asked.allow_backfilling,
        )
        async with self.ctx.app.transaction() as tx:
            await begin_import(self.ctx.within(tx), new)
        self.has_begun = True

    async def _store(self) -> None:
        """Store the chunk that is full; one of blank rows alone goes with the next."""
        if self.items == self.first_item:
            return
        chunk = Chunk(
            id=new_id(),
            position=self.position,
            first_row=self.first_row,
            first_item=self.first_item,
            items=self.items - self.first_item,
            content="".join(self.texts),
        )
        if self.keeps:
            async with self.ctx.app.transaction() as tx:
                await add_chunk(self.ctx.within(tx), self.asked.job_id, chunk)
        self.position += 1
        self.texts, self.chars = [], 0
