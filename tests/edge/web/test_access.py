# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from edge.web.access import (
    SCREEN_COOKIE_S,
    SUPERVISOR_COOKIE_S,
    Access,
    AccessError,
    Grant,
    TooManyTries,
)


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


async def test_a_token_is_made_once_and_grants_what_its_holder_may(tmp_path: Path) -> None:
    access = Access(tmp_path / "access.json")
    made = {new.holder: new.token for new in access.provide(["in1", "out-1_b"])}
    assert sorted(made) == ["door.in1", "door.out-1_b", "supervisor"]
    assert access.provide(["in1", "out-1_b"]) == []
    assert await access.verify(made["supervisor"]) == Grant(None)
    assert await access.verify(made["door.out-1_b"]) == Grant("out-1_b")
    again = Access(tmp_path / "access.json")
    assert await again.verify(made["door.in1"]) == Grant("in1")


def test_the_file_holds_hashes_only_and_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "access.json"
    made = Access(path).provide(["in1"])
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text.count("$argon2id$") == 2
    for new in made:
        assert new.token.rpartition(".")[2] not in text


async def test_what_is_no_token_is_refused(tmp_path: Path) -> None:
    access = Access(tmp_path / "access.json")
    token = access.provide(["in1"])[0].token
    other = token[:-1] + ("a" if token[-1] != "a" else "b")
    for wrong in (
        "",
        "supervisor",
        other,
        token + "a",
        f"door.in2.{token.rpartition('.')[2]}",
        "x" * 100_000,
    ):
        assert await access.verify(wrong) is None


async def test_a_renewed_token_ends_the_old_one_and_its_cookies(tmp_path: Path) -> None:
    access = Access(tmp_path / "access.json")
    made = {new.holder: new.token for new in access.provide(["in1"])}
    assert await access.verify(made["door.in1"]) is not None
    cookie, _ = access.cookie(Grant("in1"))
    supervisors, _ = access.cookie(Grant(None, "Ann"))
    new = access.renew("door.in1")
    assert await access.verify(made["door.in1"]) is None
    assert await access.verify(new.token) == Grant("in1")
    assert access.read_cookie(cookie) is None
    assert access.read_cookie(supervisors) == Grant(None, "Ann")
    with pytest.raises(AccessError, match=r"no token for 'door\.out9'"):
        access.renew("door.out9")


@pytest.mark.skipif(os.geteuid() != 0, reason="not installable: only root may give a file to another user")
def test_root_renews_a_token_and_the_file_stays_the_node_s(tmp_path: Path) -> None:
    path = tmp_path / "access.json"
    Access(path).provide(["in1"])
    os.chown(path, 4242, 4243)
    Access(path).renew("door.in1")
    assert (path.stat().st_uid, path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (4242, 4243, 0o600)


def test_a_door_that_is_gone_loses_its_token(tmp_path: Path) -> None:
    access = Access(tmp_path / "access.json")
    access.provide(["in1", "in2"])
    cookie, _ = access.cookie(Grant("in2"))
    assert access.provide(["in1"]) == []
    assert access.read_cookie(cookie) is None


@pytest.mark.parametrize(
    ("grant", "lasts"), [(Grant(None), SUPERVISOR_COOKIE_S), (Grant("in1"), SCREEN_COOKIE_S)]
)
def test_a_cookie_ends(tmp_path: Path, grant: Grant, lasts: int) -> None:
    clock = Clock()
    access = Access(tmp_path / "access.json", now=clock)
    access.provide(["in1"])
    cookie, seconds = access.cookie(grant)
    assert seconds == lasts
    clock.at += lasts - 1
    assert access.read_cookie(cookie) == grant
    clock.at += 1
    assert access.read_cookie(cookie) is None


def test_a_cookie_cannot_be_forged(tmp_path: Path) -> None:
    access, other = Access(tmp_path / "a.json"), Access(tmp_path / "b.json")
    access.provide(["in1"])
    other.provide(["in1"])
    assert access.cookie_name != other.cookie_name
    cookie, _ = access.cookie(Grant("in1"))
    foreign, _ = other.cookie(Grant(None))
    text, _, mac = cookie.partition(".")
    for wrong in (
        "",
        ".",
        "x",
        foreign,
        f"{text}.",
        f"{text}A.{mac}",
        f"{foreign.partition('.')[0]}.{mac}",
        "é.é",
    ):
        assert access.read_cookie(wrong) is None


def test_who_acted_is_named_for_the_journal() -> None:
    assert Grant("in1").by == "screen in1"
    assert Grant(None).by == "supervisor"
    assert Grant(None, "Ann").by == "supervisor Ann"
    assert Grant(None).may_act_at("in1")
    assert Grant("in1").may_act_at("in1")
    assert not Grant("in1").may_act_at("out1")


async def test_a_flood_of_false_tokens_is_cut_off(tmp_path: Path) -> None:
    access = Access(tmp_path / "access.json")
    access.provide([])
    false = [access.verify("supervisor." + "a" * 31 + letter) for letter in "abcdefghijklmnop"]
    results = await asyncio.gather(*false, return_exceptions=True)
    assert sum(isinstance(result, TooManyTries) for result in results) == 8
    assert sum(result is None for result in results) == 8


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"key": "zz", "hashes": {}}', "\xff"])
def test_a_damaged_file_is_told_and_not_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "access.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(AccessError, match="Restore it, or remove it"):
        Access(path)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    access = Access(tmp_path / "missing" / "access.json")
    with pytest.raises(AccessError, match="cannot write the access file"):
        access.provide(["in1"])
