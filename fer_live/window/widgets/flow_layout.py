"""Widgets side by side, in as many rows as they need."""

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """Fills each row from the left; hidden widgets take no room."""

    def __init__(self, parent: QWidget, gap: int = 4) -> None:
        super().__init__(parent)
        self._gap = gap
        self._items: list[QLayoutItem] = []

    def addItem(self, item: QLayoutItem | None) -> None:  # noqa: N802  # Qt's name
        if item is not None:
            self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802  # Qt's name
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802  # Qt's name
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802  # Qt's name
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:  # noqa: N802  # Qt's name
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802  # Qt's name
        return self._place(QRect(0, 0, width, 0), moves=False)

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802  # Qt's name
        super().setGeometry(rect)
        self._place(rect, moves=True)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return self.minimumSize()

    def minimumSize(self) -> QSize:  # noqa: N802  # Qt's name
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def _place(self, rect: QRect, *, moves: bool) -> int:
        """Place the items, or only find out how high they are together."""
        inner = rect.marginsRemoved(self.contentsMargins())
        row: list[tuple[QLayoutItem, int]] = []
        top, x, row_h = inner.top(), inner.left(), 0
        for item in [*self._items, None]:
            size = QSize() if item is None else item.sizeHint()
            if item is not None and item.isEmpty():
                continue
            if row and (item is None or x + size.width() > inner.right() + 1):
                if moves:
                    for placed, left in row:
                        hint = placed.sizeHint()
                        down = (row_h - hint.height()) // 2
                        placed.setGeometry(QRect(left, top + down, hint.width(), hint.height()))
                top, x = top + row_h + (0 if item is None else self._gap), inner.left()
                row, row_h = [], 0
            if item is not None:
                row.append((item, x))
                x, row_h = x + size.width() + self._gap, max(row_h, size.height())
        return top - rect.top() + self.contentsMargins().bottom()
