# SPDX-License-Identifier: Apache-2.0
"""What two media may hold after a power cut, rebuilt from the traced system calls of those who wrote.

A trace becomes an ordered list of operations. At a cut, what was synced before is on its medium; every other
write may be there, be lost or be torn at sectors, whatever happened to the writes before and after it, and so
may every other name in a folder. Knows no journal; an operation it has no model for raises Unmodelled.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR = 512

CALLS = (
    "?open,openat,?openat2,?creat,?close,write,pwrite64,?writev,?pwritev,?pwritev2,lseek,ftruncate,?truncate,"
    "fallocate,fsync,fdatasync,?sync,?syncfs,?sync_file_range,?rename,?renameat,?renameat2,?unlink,unlinkat,"
    "?rmdir,?link,linkat,?symlink,symlinkat,?mkdir,mkdirat,mmap,msync,dup,?dup2,dup3,?copy_file_range,?sendfile,"
    "?splice,?io_uring_setup"
)
"""What strace is told to trace; a `?` before a call that some machines do not have."""

_HARMLESS = ("close", "msync")
"""Nothing reaches a medium by closing; a mapping that is written is refused when it is made."""

_LINE = re.compile(rb"(\d+)\s+(.*)")
_RESUMED = re.compile(rb"<\.\.\. (\w+) resumed>(.*)")
_CALL = re.compile(rb"(\w+)\((.*)\)\s+= (-?\d+|\?)")
_FILE = re.compile(rb"(-?\w+)<([^>]*)>(\(deleted\))?")
_UNFINISHED = b" <unfinished ...>"


class Unmodelled(Exception):
    """The traced program did something to a medium that the images would get wrong."""


class Call(NamedTuple):
    """A traced system call that ended. `began` and `ended` are line numbers over all traces."""

    task: bytes
    began: int
    ended: int
    name: str
    args: list[bytes]
    returned: int


class Write(NamedTuple):
    """Bytes of a file."""

    at: int
    inode: int
    offset: int
    data: bytes


class Resize(NamedTuple):
    """A new size of a file: cut off, or zeros added."""

    at: int
    inode: int
    size: int


class Name(NamedTuple):
    """`name` in the folder `inode` stands for `entered` from now on (None: for nothing), `left` is gone."""

    at: int
    inode: int
    name: str
    entered: int | None
    left: str | None = None


class Sync(NamedTuple):
    """What was done to the file or folder before `began` is on the medium.

    It was the `number`-th `call` of its thread.
    """

    at: int
    inode: int
    began: int
    call: str
    number: int


class Said(NamedTuple):
    """A line that the program said to the world. It counts from the moment at which the call began."""

    at: int
    line: str


Change = Write | Resize | Name
Operation = Change | Sync | Said


@dataclass
class Inode:
    """A file or a folder. `medium` is the index of its root, `name` the one it was made with."""

    medium: int
    name: str
    folder: bool


@dataclass
class Tape:
    """The operations of one history on media that were empty at its start, in order."""

    roots: tuple[Path, ...]
    spoken: Path
    operations: list[Operation] = field(default_factory=list)
    inodes: list[Inode] = field(default_factory=list)
    _live: dict[str, int] = field(default_factory=dict)
    _offsets: dict[int, int] = field(default_factory=dict)
    _sizes: dict[int, int] = field(default_factory=dict)
    _syncs: Counter[tuple[bytes, str]] = field(default_factory=Counter)
    _lines: int = 0

    def __post_init__(self) -> None:
        for medium, root in enumerate(self.roots):
            self._live[str(root)] = len(self.inodes)
            self.inodes.append(Inode(medium, "", folder=True))

    def take(self, trace: Path) -> None:
        """Add what another process did, by its trace (strace -f -y -xx)."""
        self._offsets.clear()
        self._syncs.clear()
        calls = list(self._calls(trace))
        for call in calls:
            if call.returned >= 0:
                self._take(call)
        self.operations.sort(key=lambda operation: operation.at)

    def _calls(self, trace: Path) -> Iterator[Call]:
        open_calls: dict[bytes, tuple[int, bytes]] = {}
        with trace.open("rb") as lines:
            for line in lines:
                self._lines += 1
                found = _LINE.match(line)
                if found is None:
                    raise Unmodelled(f"no line of a trace: {line[:200]!r}")
                task, text = found.groups()
                if text.endswith(_UNFINISHED):
                    open_calls[task] = self._lines, text.removesuffix(_UNFINISHED)
                    continue
                began = self._lines
                resumed = _RESUMED.match(text)
                if resumed is not None:
                    began, start = open_calls.pop(task)
                    text = start + resumed[2]
                call = _CALL.match(text)
                if call is not None and call[3] != b"?":
                    name, args, returned = call.groups()
                    yield Call(task, began, self._lines, name.decode(), args.split(b", "), int(returned))

    def _take(self, call: Call) -> None:
        act = getattr(self, f"_do_{call.name}", None)
        if act is not None:
            act(call)
        elif call.name not in _HARMLESS and (call.name == "sync" or self._touches(call)):
            raise Unmodelled(f"{call.name} of {[_readable(arg) for arg in call.args][:4]}")

    def _touches(self, call: Call) -> bool:
        text = " ".join(_readable(arg) for arg in call.args)
        return call.name == "io_uring_setup" or any(str(root) in text for root in self.roots)

    def _do_openat(self, call: Call) -> None:
        path, flags = _string(call.args[1]).decode(), call.args[2].split(b"|")
        if self._medium(path) is None:
            return
        if path not in self._live:
            if b"O_CREAT" not in flags:
                raise Unmodelled(f"{path} was opened and never made")
            self._enter(call.ended, path, folder=False)
        elif b"O_TRUNC" in flags:
            self._resize(call.ended, self._live[path], 0)
        self._offsets[call.returned] = self._sizes.get(self._live[path], 0) if b"O_APPEND" in flags else 0

    def _do_open(self, call: Call) -> None:
        self._do_openat(call._replace(args=[b"AT_FDCWD", *call.args]))

    def _do_pwrite64(self, call: Call) -> None:
        inode = self._inode(call.args[0])
        if inode is not None:
            self._write(call, inode, int(call.args[-1]))

    def _do_write(self, call: Call) -> None:
        number, path, _ = _file(call.args[0])
        if path == str(self.spoken):
            self.operations += [
                Said(call.began, line) for line in _string(call.args[1]).decode().split("\n")[:-1]
            ]
        inode = self._inode(call.args[0])
        if inode is not None:
            self._write(call, inode, self._offsets[number])
            self._offsets[number] += call.returned

    def _do_lseek(self, call: Call) -> None:
        if self._inode(call.args[0]) is not None:
            self._offsets[_file(call.args[0])[0]] = call.returned

    def _do_ftruncate(self, call: Call) -> None:
        inode = self._inode(call.args[0])
        if inode is not None:
            self._resize(call.ended, inode, int(call.args[1]))

    def _do_fallocate(self, call: Call) -> None:
        inode = self._inode(call.args[0])
        if inode is None or b"KEEP_SIZE" in call.args[1]:
            return
        if call.args[1] != b"0":
            raise Unmodelled(f"fallocate {call.args[1]!r}")
        size = int(call.args[2]) + int(call.args[3])
        if size > self._sizes.get(inode, 0):
            self._resize(call.ended, inode, size)

    def _do_fsync(self, call: Call) -> None:
        self._syncs[call.task, call.name] += 1
        inode = self._inode(call.args[0])
        if inode is not None:
            number = self._syncs[call.task, call.name]
            self.operations.append(Sync(call.ended, inode, call.began, call.name, number))

    _do_fdatasync = _do_fsync

    def _do_mmap(self, call: Call) -> None:
        if (
            call.args[4].startswith(b"-1")
            or b"PROT_WRITE" not in call.args[2]
            or b"MAP_SHARED" not in call.args[3]
        ):
            return
        inode = self._inode(call.args[4])
        if inode is not None and not self.passing(inode):
            raise Unmodelled(f"a file is written through a mapping: {_file(call.args[4])[1]}")

    def _do_mkdir(self, call: Call) -> None:
        path = _string(call.args[0]).decode()
        if self._medium(path) is not None:
            self._enter(call.ended, path, folder=True)

    def _do_mkdirat(self, call: Call) -> None:
        self._do_mkdir(call._replace(args=call.args[1:]))

    def _do_unlink(self, call: Call) -> None:
        path = _string(call.args[0]).decode()
        if self._medium(path) is not None:
            del self._live[path]
            folder, name = self._place(path)
            self.operations.append(Name(call.ended, folder, name, None))

    def _do_unlinkat(self, call: Call) -> None:
        self._do_unlink(call._replace(args=call.args[1:]))

    def _do_rename(self, call: Call) -> None:
        old, new = (_string(arg).decode() for arg in call.args[:2])
        if self._medium(old) is None and self._medium(new) is None:
            return
        (folder, left), (target, name) = self._place(old), self._place(new)
        inode = self._live.pop(old)
        if folder != target or self.inodes[inode].folder:
            raise Unmodelled(f"{old} was moved to another folder")
        self._live[new] = inode
        self.operations.append(Name(call.ended, folder, name, inode, left))

    def _do_renameat(self, call: Call) -> None:
        self._do_rename(call._replace(args=[call.args[1], call.args[3]]))

    _do_renameat2 = _do_renameat

    def passing(self, inode: int) -> bool:
        """SQLite's index of its log is shared memory with a name: it is made anew by the first to open it."""
        return self.inodes[inode].name.endswith("-shm")

    def _enter(self, at: int, path: str, *, folder: bool) -> None:
        above, name = self._place(path)
        self._live[path] = len(self.inodes)
        self.operations.append(Name(at, above, name, len(self.inodes)))
        self.inodes.append(Inode(self.inodes[above].medium, name, folder))

    def _write(self, call: Call, inode: int, offset: int) -> None:
        data = _string(call.args[1])[: call.returned]
        self.operations.append(Write(call.ended, inode, offset, data))
        self._sizes[inode] = max(self._sizes.get(inode, 0), offset + len(data))

    def _resize(self, at: int, inode: int, size: int) -> None:
        self.operations.append(Resize(at, inode, size))
        self._sizes[inode] = size

    def _medium(self, path: str) -> Path | None:
        return next((root for root in self.roots if path == str(root) or path.startswith(f"{root}/")), None)

    def _place(self, path: str) -> tuple[int, str]:
        folder, _, name = path.rpartition("/")
        return self._live[folder], name

    def _inode(self, arg: bytes) -> int | None:
        """The file that a descriptor names; None outside the media, and for one that has no name any more."""
        _, path, deleted = _file(arg)
        return None if deleted or self._medium(path) is None else self._live[path]


class Image(NamedTuple):
    """A cut and what was lost by it: the first `cut` operations happened, each medium by its own rule."""

    seed: int
    cut: int
    rules: tuple[str, ...]
    said: list[str]
    after: str


Keeps = Callable[[Change, bool], bool]

RULES = (
    "nothing",
    "everything",
    "last write",
    "log",
    "tables",
    "names",
    "contents",
    "in order",
    "any",
    "any",
    "torn",
    "torn",
)
"""What of the unsynced survives on a medium: first the adversary's choices, then chance."""


def cut(tape: Tape, seed: int, folder: Path, since: int = 0) -> Image:
    """Write into `folder` what the media hold after the cut that `seed` names, one folder for each medium.

    No cut is before operation `since`.
    """
    chance = random.Random(seed)
    at = _moment(tape, chance, since)
    happened = tape.operations[:at]
    synced: dict[int, int] = {}
    for operation in happened:
        if isinstance(operation, Sync):
            synced[operation.inode] = max(operation.began, synced.get(operation.inode, 0))
    changes = [operation for operation in happened if isinstance(operation, Write | Resize | Name)]
    loose = [
        change
        for change in changes
        if change.at > synced.get(change.inode, 0) and not tape.passing(change.inode)
    ]
    first = RULES[seed % len(RULES)]
    rules = (first, *(chance.choice(RULES) for _ in tape.roots[1:]))
    kept: set[int] = set()
    torn: set[int] = set()
    for medium, rule in enumerate(rules):
        here = [change for change in loose if tape.inodes[change.inode].medium == medium]
        keeps = _rule(rule, tape, here, chance)
        # A name and what it stands for are one change of the same line: one fate.
        kept.update(change.at for change in here if keeps(change, chance.random() < 0.5))
        if rule == "torn":
            torn.update(change.at for change in here)
    if loose and loose[-1] is happened[-1] and chance.random() < 0.5:
        # Whatever the rule: the power went while this was being written.
        kept.add(loose[-1].at)
        torn.add(loose[-1].at)
    lost = {change.at for change in loose} - kept
    disk = _Disk(tape, chance)
    for change in changes:
        if change.at not in lost:
            disk.apply(change, torn=change.at in torn)
    disk.lay_out(folder)
    said = [operation.line for operation in happened if isinstance(operation, Said)]
    return Image(seed, at, rules, said, _describe(tape, happened[-1]) if happened else "nothing")


def _moment(tape: Tape, chance: random.Random, since: int) -> int:
    """A cut: anywhere, at a said line, or beside an operation of one kind on one file, each as likely."""
    groups: dict[tuple[str, str], list[int]] = {}
    for at, operation in enumerate(tape.operations[since:], start=since):
        if isinstance(operation, Said):
            groups.setdefault(("", ""), []).append(at)
        elif not tape.passing(operation.inode):
            kind = type(operation).__name__, tape.inodes[operation.inode].name
            groups.setdefault(kind, []).append(at)
    places = chance.choice((range(since, len(tape.operations)), groups.pop(("", ""), [0]), None, None))
    return chance.choice(places or chance.choice(list(groups.values()) or [[since]])) + chance.choice(
        (0, 1, 1)
    )


def _rule(rule: str, tape: Tape, changes: list[Change], chance: random.Random) -> Keeps:
    """Whether a change survives; the rule may use the coin that it is handed."""
    writes = [change.at for change in changes if isinstance(change, Write)]
    last = writes[-1] if writes else 0
    density = {change.inode: chance.choice((0.1, 0.5, 0.9)) for change in changes}
    end = chance.choice([change.at for change in changes] or [0])
    log, tables = (
        {number for number, inode in enumerate(tape.inodes) if inode.name.endswith(ending)}
        for ending in ("-wal", ".sqlite3")
    )
    rules: dict[str, Keeps] = {
        "nothing": lambda change, coin: False,
        "everything": lambda change, coin: True,
        "last write": lambda change, coin: change.at == last or (isinstance(change, Name) and coin),
        "log": lambda change, coin: change.inode in log or (isinstance(change, Name) and coin),
        "tables": lambda change, coin: change.inode in tables or (isinstance(change, Name) and coin),
        "names": lambda change, coin: isinstance(change, Name),
        "contents": lambda change, coin: not isinstance(change, Name),
        "in order": lambda change, coin: change.at <= end,
        "any": lambda change, coin: chance.random() < density[change.inode],
        "torn": lambda change, coin: chance.random() < density[change.inode],
    }
    return rules[rule]


class _Disk:
    """The media while an image is rebuilt."""

    def __init__(self, tape: Tape, chance: random.Random) -> None:
        self._tape = tape
        self._chance = chance
        self._files: dict[int, bytearray] = {}
        self._folders: dict[int, dict[str, int]] = {}
        self._litter = chance.random() < 0.3
        # At times a sector itself is torn: more than most media do, less than checksums bear.
        self._grain = chance.choice((SECTOR, SECTOR // 16))

    def apply(self, change: Change, *, torn: bool) -> None:
        if isinstance(change, Name):
            names = self._folders.setdefault(change.inode, {})
            if change.left is not None:
                names.pop(change.left, None)
            if change.entered is None:
                names.pop(change.name, None)
            else:
                names[change.name] = change.entered
        elif not self._tape.passing(change.inode):
            content = self._files.setdefault(change.inode, bytearray())
            if isinstance(change, Resize):
                del content[change.size :]
                content.extend(bytes(change.size - len(content)))
            elif torn:
                self._tear(content, change)
            else:
                self._grow(content, change.offset + len(change.data), written=change.offset)
                content[change.offset : change.offset + len(change.data)] = change.data

    def _tear(self, content: bytearray, change: Write) -> None:
        """Some sectors of a write; the size may be the new one all the same."""
        end = change.offset + len(change.data)
        edges = range(change.offset - change.offset % self._grain, end, self._grain)
        if self._chance.random() < 0.5:
            self._grow(content, end, written=end)
        for edge in edges:
            if self._chance.random() < 0.5:
                low, high = max(edge, change.offset), min(edge + self._grain, end)
                self._grow(content, high, written=low)
                content[low:high] = change.data[low - change.offset : high - change.offset]

    def _grow(self, content: bytearray, size: int, *, written: int) -> None:
        """Room up to `size`: what lies before `written` and never came is zeros, or whatever was there."""
        hole = max(0, min(written, size) - len(content))
        content.extend(self._chance.randbytes(hole) if self._litter else bytes(hole))
        content.extend(bytes(max(0, size - len(content))))

    def lay_out(self, folder: Path) -> None:
        for number, root in enumerate(self._tape.roots):
            self._lay_out(number, folder / root.name)

    def _lay_out(self, inode: int, path: Path) -> None:
        if self._tape.inodes[inode].folder:
            path.mkdir()
            for name, below in self._folders.get(inode, {}).items():
                self._lay_out(below, path / name)
        elif not self._tape.passing(inode):
            path.write_bytes(self._files.get(inode, b""))
        elif self._chance.random() < 0.5:
            path.write_bytes(self._chance.randbytes(32768))


def _describe(tape: Tape, operation: Operation) -> str:
    if isinstance(operation, Said):
        return f"saying {operation.line}"
    return f"{type(operation).__name__} of {tape.inodes[operation.inode].name or 'a root'}"


def _string(arg: bytes) -> bytes:
    """The bytes of a quoted argument; each is printed as two digits."""
    if not arg.endswith(b'"'):
        raise Unmodelled(f"the trace is cut short: {arg[-40:]!r}")
    return bytes.fromhex(arg.strip(b'"').replace(rb"\x", b"").decode())


def _file(arg: bytes) -> tuple[int, str, bool]:
    """The number, path and deletedness of a descriptor as strace -y prints it."""
    found = _FILE.match(arg)
    if found is None:
        return -1, "", False
    number, path, deleted = found.groups()
    name = re.sub(rb"\\x([0-9a-f]{2})", lambda digits: bytes.fromhex(digits[1].decode()), path).decode()
    return int(number) if number.isdigit() else -1, name, deleted is not None or name.endswith(" (deleted)")


def _readable(arg: bytes) -> str:
    return re.sub(rb"\\x([0-9a-f]{2})", lambda digits: bytes.fromhex(digits[1].decode()), arg).decode(
        errors="replace"
    )
