# SPDX-License-Identifier: Apache-2.0
"""Somebody without a believed key speaks for a node. Nothing of it may ever be stored."""

from __future__ import annotations

import msgspec

from sync import wire
from sync.bodies import Begin
from sync.entry import GENESIS
from sync.keys import Signer
from zonegate.simulation.machine import TENANT, ZONE
from zonegate.simulation.world import NODES, World


def forge(world: World) -> str:
    """An ask that names a node, an epoch that continues a known one, and a key of the forger's own."""
    chance, office = world.chance, world.office
    if not office.running:
        return ""
    node = chance.random.choice(NODES)
    signer = Signer(chance.secret())
    known = [epoch for epoch in office.book.met.get(node, ()) if epoch in office.book.epochs]
    parent = office.book.epochs[chance.random.choice(known)].head if known else None
    epoch = chance.hex()
    begin = Begin(TENANT, ZONE, node, signer.public, "key rotated", parent, parent)
    first = chance.entry(epoch, None, "begin", begin)
    part = wire.Part(epoch, 0, GENESIS, (msgspec.Raw(first.record),), signer.head(first.place))
    ask = wire.Ask(chance.hex(), TENANT, ZONE, node, epoch, (f"{node}-in",), (part,))
    body = wire.encode(ask)
    world.at_center(office.answer, body, signer.sign(wire.request_message(body)))
    office.refusal = ""
    return f"somebody speaks for {node} with a key of their own"
