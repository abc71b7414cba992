# SPDX-License-Identifier: Apache-2.0
"""What the program offers is in the documents, and what the documents show exists.

Names are taken from where they are made: the argument parser, the configuration's reader, the topics,
the table of verdicts, the metrics. Nothing is listed here a second time.
"""

from __future__ import annotations

import argparse
import ast
import re
from typing import TYPE_CHECKING

import pytest

from edge.words import TABLE
from sync.topics import CHANNELS
from tests.source import ROOT, modules, project_files, strings
from zonegate.cli import build_parser

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

TEXTS = {".md", ".yaml", ".json", ".toml"}


def documents() -> str:
    """All of docs/ and the table in ARCHITECTURE.md, as one text."""
    paths = [path for path in project_files() if path.is_relative_to(ROOT / "docs") and path.suffix in TEXTS]
    return "\n".join(path.read_text() for path in [*sorted(paths), ROOT / "ARCHITECTURE.md"])


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, list[str]]]:
    """Each command's words and its long options, subcommands included."""
    deeper = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    options = [
        option
        for action in parser._actions
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction)
        for option in action.option_strings
        if option.startswith("--")
    ]
    yield parser.prog, options
    for action in deeper:
        for sub in dict.fromkeys(action.choices.values()):
            yield from commands(sub)


def configuration_keys() -> set[str]:
    """The keys of the configuration files, from the modules that read them."""
    sources = {name: path.read_text() for name, path in modules().items()}
    shared = {reader for name in sources if name.endswith(".tables") for reader in methods(sources[name])}
    keys = set()
    for name, source in sources.items():
        if name.endswith(".config"):
            keys |= keys_asked_for(source, shared)
    return keys


def methods(source: str) -> set[str]:
    """The methods of a module's classes."""
    return {
        node.name
        for kind in ast.walk(ast.parse(source))
        if isinstance(kind, ast.ClassDef)
        for node in kind.body
        if isinstance(node, ast.FunctionDef)
    }


def keys_asked_for(source: str, shared: Collection[str] = ()) -> set[str]:
    """What a table reader is asked for by name, and the fields of the module's msgspec structs. Table readers
    are classes of the module's own, and those with `shared` methods.
    """
    tree = ast.parse(source)
    fields = {
        node.target.id
        for kind in ast.walk(tree)
        if isinstance(kind, ast.ClassDef)
        and any(ast.unparse(base) == "msgspec.Struct" for base in kind.bases)
        for node in kind.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    readers = methods(source) | set(shared)
    return fields | {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in readers
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and node.args[0].value.isidentifier()
    }


def metric_names() -> set[str]:
    texts = {text for name, path in modules().items() if name.endswith(".metrics") for text in strings(path)}
    return {text for text in texts if re.fullmatch(r"zonegate_[a-z0-9_]+", text)}


def undocumented(names: Iterable[str], text: str) -> list[str]:
    """The names that do not stand in ``text`` as words of their own."""
    return sorted(
        name for name in set(names) if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-]|/[\w{{])", text)
    )


def test_every_command_is_documented() -> None:
    names = [words for words, _ in commands(build_parser())]
    assert len(names) > 5
    assert undocumented(names, documents()) == []


def test_every_option_is_documented() -> None:
    options = [option for _, found in commands(build_parser()) for option in found]
    assert options
    assert undocumented(options, documents()) == []


def test_every_configuration_key_is_documented() -> None:
    keys = configuration_keys()
    assert keys
    written = "\n".join(re.findall(r"`[^`\n]+`|^\[+\w.*$|^#? ?\w+ = .*$", documents(), re.MULTILINE))
    assert undocumented(keys, written) == []


def test_every_topic_is_documented() -> None:
    assert undocumented(CHANNELS.values(), documents()) == []


def test_every_reason_code_is_documented() -> None:
    assert undocumented([row.reason for row in TABLE], documents()) == []


def test_every_metric_is_documented() -> None:
    assert metric_names()
    assert undocumented(metric_names(), documents()) == []


def test_every_environment_variable_is_documented() -> None:
    names = {text for path in modules().values() for text in strings(path)}
    assert (
        undocumented((text for text in names if re.fullmatch(r"ZONEGATE_[A-Z_]+", text)), documents()) == []
    )


def shown_commands(text: str) -> set[str]:
    """The commands that documents show, in a code line or between backticks."""
    return set(re.findall(r"(?:^|`)(?:\$ )?zonegate ([a-z][a-z-]*)\b", text, re.MULTILINE))


def test_every_command_the_documents_show_exists() -> None:
    known = {words.removeprefix("zonegate ").split()[0] for words, _ in commands(build_parser())}
    shown = shown_commands(documents() + (ROOT / "README.md").read_text())
    assert shown
    assert shown <= known


def broken_links(path: Path) -> list[str]:
    """Relative links of a Markdown file that lead nowhere."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text())
    return [target for target in targets if "://" not in target and not (path.parent / target).exists()]


def test_every_link_leads_somewhere() -> None:
    broken = {
        str(path.relative_to(ROOT)): broken_links(path) for path in project_files() if path.suffix == ".md"
    }
    assert {name: links for name, links in broken.items() if links} == {}


def test_a_planted_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[there](page.md#top) [gone](missing.md) [away](https://example.org/x)")
    assert broken_links(page) == ["missing.md"]


@pytest.mark.parametrize("text", ["", "zonegate verifying", "a/zonegate-verify", "my-zonegate verify-all"])
def test_an_undocumented_name_is_found(text: str) -> None:
    assert undocumented(["zonegate verify"], text) == ["zonegate verify"]
    assert undocumented(["zonegate verify"], f"{text}\n`zonegate verify --head H`") == []


def test_a_key_of_the_configuration_is_collected() -> None:
    source = """
class Limits(msgspec.Struct):
    entries_max: int

class Table:
    def text(self, key): ...

def parse(top):
    return top.text("zone"), top.get("other"), print("words")
"""
    assert keys_asked_for(source) == {"zone", "entries_max"}


def test_a_commands_words_and_options_are_collected() -> None:
    parser = argparse.ArgumentParser(prog="zonegate")
    deep = parser.add_subparsers().add_parser("db").add_subparsers().add_parser("tail")
    deep.add_argument("--lines")
    assert list(commands(parser)) == [
        ("zonegate", []),
        ("zonegate db", []),
        ("zonegate db tail", ["--lines"]),
    ]


def test_a_shown_command_is_collected() -> None:
    text = "Run `zonegate doctor`.\n\n```\n$ zonegate node --config x\n```\nThe zonegate is a word."
    assert shown_commands(text) == {"doctor", "node"}


def test_every_module_stands_in_the_architecture() -> None:
    told = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Files by room")[2]
    words = set(re.findall(r"\w+", told))
    stems = {name.rpartition(".")[2] for name in modules()}
    missing = sorted(stem for stem in stems if not stem.startswith("_") and stem not in words)
    assert missing == []
