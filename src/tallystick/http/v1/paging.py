"""Pages and their order: the same for every list.

class WidgetQuery(PageQuery):
order_by: Annotated[Order, OrderBy("created_at", "name")] = NEWEST_FIRST
search: ShortText | None = None

class WidgetList(AnswerModel):
data: list[WidgetOut]
pagination_meta: PaginationMeta

@router.get("", response_model=WidgetList)
async def list_widgets(door: Entered, query: Annotated[WidgetQuery, Query()]) -> Response:
def show(page: Page[WidgetRow]) -> WidgetList:
return WidgetList(data=[...], pagination_meta=query.meta(page.total))

return await door.read(
lambda ctx: widgets.page(ctx.transaction, ctx.tenant.id, query.request(query.order_by)),
show,
)
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaValue
from typing_extensions import override

from tallystick.db.paging import Window
from tallystick.http.v1.scalar import Scalar, problem
from tallystick.http.v1.scalars import RequestModel

PER_PAGE_DEFAULT = 25
PER_PAGE_MAX = 100
PAGE_MAX = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: a column by its name on the wire, and the direction."""

    column: str
    descending: bool = False


NEWEST_FIRST = Order("created_at", descending=True)
BY_NAME = Order("name")


class PaginationMeta(BaseModel):
    """Where a page lies in its list; true past the end, too."""

    page: int
    per_page: int
    total_items: int
    total_pages: int


class PageQuery(RequestModel):
    """`page` from 0 and `per_page` from 1 to 100; a list adds its filters and its order."""

    page: Annotated[int, Field(ge=0, le=PAGE_MAX)] = 0
    per_page: Annotated[int, Field(ge=1, le=PER_PAGE_MAX)] = PER_PAGE_DEFAULT

    def window(self, order: Order) -> Window:
        """Return what the database is asked for."""
        return Window(
            limit=self.per_page,
            offset=self.page * self.per_page,
            order=order.column,
            descending=order.descending,
        )

    def meta(self, total: int) -> PaginationMeta:
        """Return what the answer says about the page, `total` items being in the list."""
        return PaginationMeta(
            page=self.page,
            per_page=self.per_page,
            total_items=total,
            total_pages=-(-total // self.per_page),
        )


@dataclass(frozen=True)
class OrderBy(Scalar):
    """`column.asc` or `column.desc`, from an allow-list of columns."""

    columns: tuple[str, ...]

    def __init__(self, *columns: str) -> None:
        """Allow these columns."""
        object.__setattr__(self, "columns", columns)

    @override
    def parse(self, value: Any) -> Order:
        if isinstance(value, Order):
            return value
        if value not in self._choices():
            raise problem("unknown_value", f"must be one of {', '.join(self._choices())}")
        column, _, way = str(value).partition(".")
        return Order(column, descending=way == "desc")

    @override
    def text(self, value: Order) -> str:
        return f"{value.column}.{'desc' if value.descending else 'asc'}"

    @override
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "enum": self._choices()}

    def _choices(self) -> list[str]:
        return [f"{column}.{way}" for column in self.columns for way in ("asc", "desc")]
