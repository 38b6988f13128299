"""The line of each setting in a TOML text.

``tomllib`` parses but does not say where; its text is walked here a second time. The walk trusts that the text is
valid TOML (``tomllib`` has accepted it) and only finds keys: their dotted names, with numbers for entries of arrays.
"""

_BARE_ENDS = set(" \t=.]}#,\r\n")


def setting_lines(text: str) -> dict[str, int]:
    """Dotted name of each table and key to its line (the first is 1). ``text`` is valid TOML."""
    walk = _Walk(text)
    walk.document()
    return walk.lines


class _Walk:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[str, int] = {}
        self.tables: dict[str, int] = {}  # how many entries an array of tables has

    def document(self) -> None:
        table: tuple[str, ...] = ()
        while self.skip_blank():
            if self.text.startswith("[[", self.at):
                self.at += 2
                table = self.entered(self.key())
                name = ".".join(table)
                number = self.tables.get(name, 0)
                self.tables[name] = number + 1
                table = (*table, str(number))
                self.note(table)
                self.at = self.text.index("]]", self.at) + 2
            elif self.text[self.at] == "[":
                self.at += 1
                table = self.entered(self.key())
                self.note(table)
                self.at = self.text.index("]", self.at) + 1
            else:
                self.pair(table)

    def entered(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """The path of a table, going into the last entry of each array of tables on the way to it."""
        path: tuple[str, ...] = ()
        for number, part in enumerate(key):
            path = (*path, part)
            count = self.tables.get(".".join(path), 0)
            if count and number < len(key) - 1:
                path = (*path, str(count - 1))
        return path

    def note(self, path: tuple[str, ...]) -> None:
        line = self.text.count("\n", 0, self.at) + 1
        for end in range(1, len(path) + 1):
            self.lines.setdefault(".".join(path[:end]), line)

    def pair(self, table: tuple[str, ...]) -> None:
        start = self.at
        path = (*table, *self.key())
        end, self.at = self.at, start
        self.note(path)
        self.at = self.text.index("=", end) + 1
        self.value(path)

    def key(self) -> tuple[str, ...]:
        parts = []
        while True:
            self.skip_spaces()
            if self.text[self.at] in "\"'":
                parts.append(self.string())
            else:
                start = self.at
                while self.text[self.at] not in _BARE_ENDS:
                    self.at += 1
                parts.append(self.text[start : self.at])
            self.skip_spaces()
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def value(self, path: tuple[str, ...]) -> None:
        self.skip_spaces()
        first = self.text[self.at]
        if first in "\"'":
            self.string()
        elif first in "[{":
            self.at += 1
            number = 0
            while self.skip_blank(",") and self.text[self.at] not in "]}":
                if first == "{":
                    self.pair(path)
                else:
                    self.note((*path, str(number)))
                    self.value((*path, str(number)))
                    number += 1
            self.at += 1
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\r\n":
                self.at += 1

    def string(self) -> str:
        """Pass over a string; returns what is between its quotes, as written."""
        quote = self.text[self.at]
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        start = self.at = self.at + len(mark)
        while not self.text.startswith(mark, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        if len(mark) == 3:
            while self.text.startswith(mark, self.at + 1):  # up to two quotes may stand before the closing ones
                self.at += 1
        end = self.at
        self.at += len(mark)
        return self.text[start:end]

    def skip_spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def skip_blank(self, also: str = "") -> bool:
        """Go to the next thing that is said; False at the end of the text."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in " \t\r\n\ufeff" + also:
                self.at += 1
            else:
                return True
        return False
