# SPDX-License-Identifier: Apache-2.0
"""One table of a node's configuration file: takes its keys and collects its faults. Knows no setting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drivers.errors import LinkUrlError
from drivers.link import parse_link_url

ID: Final = re.compile(r"[a-z0-9_-]{1,40}")
"""Names that become MQTT levels and parts of URLs."""

_LISTEN: Final = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether `text` is an address of one of these schemes, with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False


class Table:
    """One table of the file: takes its keys, collects its faults in a list shared with its parents."""

    def __init__(self, data: Mapping[str, Any], path: str, faults: list[str]) -> None:
        self._data = data
        self._path = path
        self._taken: set[str] = set()
        self._children: dict[str, Table] = {}
        self.faults = faults

    def fault(self, key: str, came: str, expected: str) -> None:
        """One more fault: what came and what was expected."""
        self.faults.append(f"  {key}: came {came}, expected {expected}")

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._data

    def peek(self, key: str) -> str:
        """The key's value as text, unasked."""
        return str(self._data.get(key, ""))

    def leave(self, key: str) -> None:
        """A table of somebody else's."""
        self._taken.add(key)

    def done(self) -> None:
        """Tell the keys that nobody asked for."""
        for child in self._children.values():
            child.done()
        for key in sorted(self._data.keys() - self._taken):
            known = ", ".join(sorted(self._taken)) or "none"
            self.fault(self._full(key), "a key that is not known here", f"one of {known}")

    def table(self, key: str, *, optional: bool = False) -> Table:
        """A table below this one."""
        if key in self._children:
            return self._children[key]
        value = self._take(key, {} if optional else None, dict, "a table")
        self._children[key] = Table(value or {}, self._full(key), self.faults)
        return self._children[key]

    def tables(self, key: str) -> list[Table]:
        """The tables of a list."""
        values = self._take(key, [], list, "tables such as [[door]]") or []
        tables = []
        for number, value in enumerate(values, start=1):
            if isinstance(value, dict):
                tables.append(Table(value, f"{self._full(key)}[{number}]", self.faults))
            else:
                self.fault(f"{self._full(key)}[{number}]", repr(value), "a table")
        return tables

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without `default` it must be there."""
        value = self._take(key, default, str, "a text")
        if value == "" and default is None and self._data.get(key) == "":
            self.fault(self._full(key), "an empty text", "a text")
        return value or ""

    def maybe(self, key: str) -> str | None:
        """A text, or None where the key is not there."""
        self._taken.add(key)
        return self.text(key) if key in self._data else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self._take(key, [], list, "a list of texts") or []
        for number, value in enumerate(values):
            if not isinstance(value, str):
                self.fault(f"{self._full(key)}[{number}]", repr(value), "a text")
        return tuple(str(value) for value in values)

    def name(self, key: str) -> str:
        """An id, as `ID` has it."""
        value = self.text(key)
        if value and not ID.fullmatch(value):
            self.fault(self._full(key), repr(value), "1 to 40 of a-z, 0-9, - and _")
        return value

    def again(self, key: str) -> list[Table]:
        """The tables of a key once more, their faults left to who asked first."""
        values = self._data.get(key)
        rows = values if isinstance(values, list) else []
        return [Table(row, "", []) for row in rows if isinstance(row, dict)]

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or false, `default` unless told."""
        self._taken.add(key)
        value = self._data.get(key, default)
        if not isinstance(value, bool):
            self.fault(self._full(key), repr(value), "true or false")
        return value is True

    def number(self, key: str, low: float, high: float) -> float | None:
        """A number within bounds, or None where the key is not there."""
        self._taken.add(key)
        value = self._data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.fault(self._full(key), repr(value), f"a number of {low} to {high}")
            return None
        return float(value)

    def maybe_whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number within bounds, or None where the key is not there."""
        self._taken.add(key)
        return self.whole(key, low, low, high) if key in self._data else None

    def whole(self, key: str, default: int | None, low: int, high: int) -> int:
        """A whole number within bounds; without `default` (None) it must be there."""
        missing = default is None and key not in self._data
        value: int = self._take(key, default, int, "a whole number")
        if not missing and not low <= value <= high:
            self.fault(self._full(key), str(value), f"{low} to {high}")
        return value

    def choice(self, key: str, words: tuple[str, ...], default: str | None = "") -> str:
        """One of `words`, the first unless told; without `default` (None) it must be told."""
        value = self.text(key, words[0] if default == "" else default)
        if value not in words and (value or default is not None):
            self.fault(self._full(key), repr(value), " or ".join(words))
        return value

    def timezone(self, key: str) -> str:
        """An IANA time zone's name."""
        value = self.text(key)
        try:
            ZoneInfo(value or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fault(self._full(key), repr(value), "a time zone such as America/Chicago")
        return value

    def listen(self, key: str, default: str) -> str:
        """An address and port to listen on."""
        value = self.text(key, default)
        match = _LISTEN.fullmatch(value)
        if match is None or int(match[1]) > 65_535:
            self.fault(self._full(key), repr(value), "address:port, such as 127.0.0.1:8420")
        return value

    def url(self, key: str, schemes: tuple[str, ...]) -> str:
        """A URL of one of these schemes, with a host."""
        value = self.text(key)
        if value and not is_url(value, schemes):
            self.fault(self._full(key), repr(value), f"a URL such as {schemes[0]}://host:port")
        return value

    def device(self, key: str, parse: Callable[[str], object]) -> str:
        """A URL that `parse` takes; it raises LinkUrlError for others."""
        url = self.text(key)
        try:
            if url:
                parse(url)
        except LinkUrlError as error:
            self.fault(self._full(key), repr(url), str(error))
        return url

    def devices(self, key: str) -> tuple[str, ...]:
        """A list of scanners' URLs."""
        urls = self.texts(key)
        for number, url in enumerate(urls):
            try:
                parse_link_url(url)
            except LinkUrlError as error:
                self.fault(f"{self._full(key)}[{number}]", repr(url), f"a device's URL ({error})")
        return urls

    def _take(self, key: str, default: Any, kind: type, expected: str) -> Any:
        self._taken.add(key)
        if key not in self._data:
            if default is None:
                self.fault(self._full(key), "nothing", expected)
                return kind()
            return default
        value = self._data[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fault(self._full(key), repr(value), expected)
            return default if default is not None else kind()
        return value

    def _full(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
