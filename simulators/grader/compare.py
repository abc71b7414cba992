# SPDX-License-Identifier: Apache-2.0
"""Holding the books against the truth: what is lost, what is there twice, what is wrong.

Pure: evidence in, findings out. A finding names what it concerns; the same fact lost in two places is one
lost fact with two findings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulators.grader.events import event_findings
from simulators.grader.evidence import Center, Fact, Journal, Subscriber, Truth
from simulators.grader.facts import MOVEMENTS, TOLD, digest, fact_of
from simulators.grader.findings import CHAIN, DUPLICATE, LOST, WRONG, Finding
from simulators.grader.gates import NOTHING, gate_findings
from simulators.grader.record import Row, chain_faults, copy_faults, head_faults
from simulators.grader.works import floor_of, made_figures, works_findings


@dataclass(frozen=True, slots=True)
class Grade:
    """The figures and the findings behind them."""

    figures: dict[str, Any]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Nothing lost, nothing twice, nothing wrong, every chain whole."""
        return not self.findings


def grade(truth: Truth, journal: Journal, center: Center, subscriber: Subscriber) -> Grade:
    """Compare everything with everything."""
    at_journal = _against_truth(truth, _facts(journal.rows), "journal")
    at_center = _against_truth(truth, _facts(center.rows), "center")
    findings = [
        *at_journal.findings,
        *at_center.findings,
        *event_findings(subscriber, journal.rows, center.rows, at_journal.steps | at_center.steps),
        *_inventory_against_truth(truth, center),
        *_movements_against_entries(center),
        *_seen_by_books(center, at_center.steps),
        *_chains(journal, center, subscriber),
        *gate_findings(truth, journal),
        *works_findings(truth, center),
    ]
    kinds: dict[str, set[str]] = defaultdict(set)
    for finding in findings:
        kinds[finding.kind].add(finding.about)
    decided = _facts(center.rows)
    count = {kind: sum(fact["type"] == kind for fact in decided) for kind in TOLD}
    figures = {
        "scans": truth.scans,
        "reads": journal.reads,
        "passages": len(journal.passages),
        "admissions": count["admission"],
        "withdrawals": count["withdrawal"],
        "holds": count["hold"],
        "stops": count["stop"],
        "journal_entries": len(journal.rows),
        "mqtt_received": len({event.event_id for event in subscriber.events}),
        "central_entries": len(center.rows),
        "lost": len(kinds[LOST]),
        "duplicates": len(kinds[DUPLICATE]),
        "wrong": len(kinds[WRONG]),
        "chain_ok": not kinds[CHAIN],
        "decisions_digest": digest(decided),
        **made_figures(center),
        "doors": _doors(truth, journal, decided),
    }
    return Grade(figures, tuple(findings))


def _doors(truth: Truth, journal: Journal, decided: list[Fact]) -> dict[str, dict[str, list[int]]]:
    """For each door and kind: how many there must be, and how many there are at the center (of passages: how
    many trips were driven, and how many the node kept in which something came).
    """
    kinds = ("admission", "withdrawal", "hold", "stop")
    doors: dict[str, dict[str, list[int]]] = {}
    for door in sorted({fact["door"] for _, fact in truth.facts if fact["door"]}):
        wanted = [fact["type"] for _, fact in truth.facts if fact["door"] == door]
        found = [fact["type"] for fact in decided if fact["door"] == door]
        doors[door] = {f"{kind}s": [wanted.count(kind), found.count(kind)] for kind in kinds}
        driven = sum(trip.door == door for trip in truth.trips)
        kept = sum(each.door == door and each.finding.get("kind") != NOTHING for each in journal.passages)
        doors[door]["passages"] = [driven, kept]
    return doors


def _facts(rows: list[Row]) -> list[Fact]:
    """The facts of a log; one that was recorded again in a later epoch counts once."""
    by_id = {row.entry_id: row for row in rows if row.type in TOLD}
    return [fact_of(row) for row in by_id.values()]


@dataclass(frozen=True, slots=True)
class _Match:
    findings: list[Finding]
    steps: dict[str, int]


def _against_truth(truth: Truth, facts: list[Fact], where: str) -> _Match:
    """Give each expected fact its entry: the same one first, then the same reason, then the same load."""
    expected = list(enumerate(truth.facts))
    open_facts: dict[tuple[Any, ...], list[Fact]] = defaultdict(list)
    for fact in facts:
        open_facts[_same_load(fact)].append(fact)
    found: dict[int, Fact] = {}
    for fits in (lambda wanted, fact: not _differences(wanted, fact), _same_reason, lambda _, __: True):
        for place, (_, wanted) in expected:
            if place in found:
                continue
            candidates = open_facts[_same_load(wanted)]
            choice = next((fact for fact in candidates if fits(wanted, fact)), None)
            if choice is not None:
                candidates.remove(choice)
                found[place] = choice
    findings = _differing(truth, found, where)
    for place, (step, wanted) in expected:
        if place not in found:
            findings.append(
                Finding(LOST, f"step {step}", f"step {step}: {_said(wanted)} is not at the {where}")
            )
    matched = {_said(fact) for fact in found.values()}
    for fact in (fact for left in open_facts.values() for fact in left):
        twice = _said(fact) in matched
        why = "is there a second time" if twice else "is explained by nothing that was done"
        kind = DUPLICATE if twice else WRONG
        findings.append(Finding(kind, fact["id"], f"entry {fact['id']} at the {where}: {_said(fact)} {why}"))
    return _Match(findings, {fact["id"]: truth.facts[place][0] for place, fact in found.items()})


def _differing(truth: Truth, found: dict[int, Fact], where: str) -> list[Finding]:
    """Entries that stand where they should and say something else; `clears` names a step in the truth."""
    findings = []
    entry_of = {(truth.facts[place][0], fact["type"]): fact["id"] for place, fact in found.items()}
    for place, fact in sorted(found.items()):
        step, wanted = truth.facts[place]
        findings += [
            Finding(
                WRONG,
                f"step {step}",
                f"step {step}: entry {fact['id']} at the {where} says {name} {fact.get(name)!r}, "
                f"expected {wanted[name]!r} ({_said(wanted)})",
            )
            for name in _differences(wanted, fact)
        ]
        if "clears" in wanted and fact["clears"] != entry_of.get((wanted["clears"], "hold")):
            text = f"entry {fact['id']} at the {where} does not settle the hold of step {wanted['clears']}"
            findings.append(Finding(WRONG, f"step {step}", f"step {step}: {text}"))
    return findings


def _differences(wanted: Fact, fact: Fact) -> list[str]:
    return [name for name, value in wanted.items() if name != "clears" and fact.get(name) != value]


def _same_load(fact: Fact) -> tuple[Any, ...]:
    return fact["door"], fact["job"], fact["load"], fact["type"] == "job"


def _same_reason(wanted: Fact, fact: Fact) -> bool:
    return (wanted["type"], wanted["reason"]) == (fact["type"], fact["reason"])


def _said(fact: Fact) -> str:
    what = " ".join(str(fact[name]) for name in ("type", "reason", "load") if fact.get(name))
    return f"{what} at door {fact['door']}, job {fact['job']}"


def _inventory_against_truth(truth: Truth, center: Center) -> Iterable[Finding]:
    floor = floor_of(truth)
    used: dict[str, Decimal] = defaultdict(Decimal)
    for _, fact in truth.facts:
        if fact["type"] not in (*MOVEMENTS, "correction"):
            continue
        quantity = Decimal(fact["quantity"])
        if fact["type"] == "correction":
            quantity = -quantity
        came = fact["direction"] == "in"
        floor[(fact["load"], fact["owner"], fact["status"])] += quantity if came else -quantity
        if fact["line"] is not None:
            used[fact["line"]] += quantity
    held: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for (key, owner, status), quantity in center.holdings.items():
        held[(_load_of(key), owner, status)] += quantity
    for load in sorted(floor.keys() | held.keys()):
        if floor[load] != held[load]:
            text = f"{' '.join(load)}: {floor[load]} on the floor, {held[load]} in the center's inventory"
            yield Finding(WRONG, f"inventory {load[0]}", text)
    for line in sorted(used.keys() | center.used.keys()):
        if used[line] != center.used.get(line, Decimal(0)):
            text = f"permit line {line}: {used[line]} used, the center's books say {center.used.get(line, 0)}"
            yield Finding(WRONG, f"line {line}", text)


def _load_of(key: str) -> str:
    """The load in the truth's words: an SSCC's link ends in the SSCC."""
    head, _, last = key.rpartition("/")
    return last if head.endswith("/00") else key


def _movements_against_entries(center: Center) -> Iterable[Finding]:
    """The center's list of movements holds exactly its movement entries, with their quantities."""
    facts = {fact["id"]: fact for fact in _facts(center.rows)}
    undone = {fact["corrects"] for fact in facts.values() if fact["type"] == "correction"}
    moved = {name: fact for name, fact in facts.items() if fact["type"] in MOVEMENTS}
    for name, fact in moved.items():
        booked = center.movements.get(name)
        if booked is None:
            yield Finding(LOST, name, f"{_said(fact)}: entry {name} is not among the center's movements")
        elif booked != (Decimal(fact["quantity"]), name in undone):
            text = f"the center's movements have {booked[0]}{' taken back' if booked[1] else ''}, "
            yield Finding(WRONG, name, f"{_said(fact)}: {text}its entry {name} says {fact['quantity']}")
    for name in sorted(center.movements.keys() - moved.keys()):
        yield Finding(WRONG, name, f"the center's movements have {name}, which is no entry")


def _seen_by_books(center: Center, steps: dict[str, int]) -> Iterable[Finding]:
    """A node's entries enter the books by the center's own `center-saw` only."""
    seen: dict[str, int] = defaultdict(int)
    for row in center.own:
        body = row.read().get("body", {})
        if row.type == "center-saw" and isinstance(body, dict) and isinstance(body.get("upto"), dict):
            epoch, seq = body.get("epoch", ""), body["upto"].get("seq", 0)
            seen[epoch] = max(seen[epoch], seq)
    for row in center.rows:
        if row.entry_id in steps and row.seq > seen[row.epoch]:
            about = f"step {steps[row.entry_id]}"
            text = f"entry {row.entry_id} is stored at the center, but the center's own log never saw it"
            yield Finding(LOST, about, text)


def _chains(journal: Journal, center: Center, subscriber: Subscriber) -> Iterable[Finding]:
    faults = {
        "the journal": [
            *chain_faults(journal.rows),
            *head_faults(journal.rows, journal.heads, needed=True),
            *head_faults(journal.rows, subscriber.heads, needed=False),
        ],
        "the center's copy": [
            *chain_faults(center.rows),
            *head_faults(center.rows, center.heads, needed=True),
            *copy_faults(journal.rows, center.rows),
            *(
                f"epoch {epoch} of node {node} is held as one of {center.nodes[epoch]}"
                for epoch, node in journal.nodes.items()
                if center.nodes.get(epoch, node) != node
            ),
        ],
        "the center's own log": [
            *chain_faults(center.own),
            *head_faults(center.own, center.own_heads, needed=False),
        ],
    }
    for where, said in faults.items():
        for fault in said:
            yield Finding(CHAIN, f"{where}, {fault}", f"{where}, {fault}")
