# SPDX-License-Identifier: Apache-2.0
"""`zonegate label`: labels for logistic units, with the node's own SSCCs, and for zone lots."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from zonegate.node import CONFIG

if TYPE_CHECKING:
    from edge.sscc import SsccCounter
    from gs1 import Drawing, Label
    from zonegate.printing import Printer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `zonegate label`."""
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    sscc = acts.add_parser("sscc", help="print labels of logistic units, each with the node's next SSCC")
    sscc.add_argument("--number", type=int, default=1, metavar="N", help="how many labels (1)")
    sscc.add_argument("--gtin", help="what the unit contains, 14 digits; needs --count")
    sscc.add_argument("--count", type=int, help="how many of it")
    sscc.add_argument("--lot", help="their lot; needs --gtin")
    lot = acts.add_parser("lot", help="print a zone lot's label")
    lot.add_argument("--gtin", required=True, help="the goods, 14 digits")
    lot.add_argument("--lot", required=True, help="the lot, up to 20 characters")
    lot.add_argument("--element", action="append", default=[], metavar="AI=VALUE", help="a further element")
    lot.add_argument("--number", type=int, default=1, metavar="N", help="how many copies (1), ZPL only")
    begin = acts.add_parser("begin", help="begin the counter, once; also after the anchor was lost")
    begin.add_argument("--from", type=int, dest="start", metavar="N", help="the first number to tell")
    left = acts.add_parser("left", help="say how many numbers are left of the range")
    for act in (sscc, begin, left):
        act.add_argument("--config", type=Path, default=CONFIG, help="zonegate.toml with [labels]")
    for act in (sscc, lot):
        act.add_argument(
            "--line", action="append", default=[], metavar="TEXT", help="a line for people; up to 6"
        )
        act.add_argument("--form", choices=("zpl", "svg"), default="zpl", help="zpl (default) or svg")
        act.add_argument("--width-mm", type=float, default=101.6, help="the label's width (101.6)")
        act.add_argument("--height-mm", type=float, default=152.4, help="its height (152.4)")
        act.add_argument("--dpi", type=int, default=203, help="the printer's dots per inch (203)")
        act.add_argument("--rectangular", action="store_true", help="an oblong DataMatrix")
        way = act.add_mutually_exclusive_group()
        way.add_argument(
            "--out", type=Path, help="a file; a folder for several SVG labels (else standard output)"
        )
        way.add_argument(
            "--printer", metavar="HOST:PORT", help="a label printer's raw port, 9100 if none is named"
        )


def run(args: argparse.Namespace) -> int:
    """Do the act; 1 when it cannot be done, 2 for a call that cannot be right."""
    from edge.errors import ConfigError, LabelsError
    from gs1 import Gs1Error
    from zonegate.printing import PrinterError

    acts = {"sscc": _sscc, "lot": _lot, "begin": _begin, "left": _left}
    try:
        acts[args.act](args)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except _WrongCall as error:
        print(f"zonegate label {args.act}: {error}", file=sys.stderr)
        return 2
    except (LabelsError, Gs1Error, PrinterError, OSError) as error:
        print(f"zonegate label {args.act}: {error}", file=sys.stderr)
        return 1
    return 0


class _WrongCall(Exception):
    """Arguments that do not go together."""


def _sscc(args: argparse.Namespace) -> None:
    from gs1 import sscc_label, sscc_of

    if args.form == "svg":
        _check_svg(args)

    def label(sscc: str) -> Label:
        return sscc_label(sscc, args.gtin, args.count, args.lot, lines=tuple(args.line))

    counter = _counter(args)
    with ExitStack() as open_ones:
        # All that can be wrong is found before a number is used up: with one of the same form, and by asking.
        _drawing(args, label(sscc_of("0" * 7, 0, 0)))
        printer = _printer(args, open_ones)
        numbers = counter.take(args.number)
        drawings = {sscc: _drawing(args, label(sscc)) for sscc in numbers}
        try:
            _put(args, drawings, printer)
        except BaseException:
            print(f"used up and not printed: {', '.join(numbers)}", file=sys.stderr)
            raise
    if args.out is not None or printer is not None:
        print("\n".join(numbers))


def _lot(args: argparse.Namespace) -> None:
    from gs1 import lot_label

    further = []
    for element in args.element:
        ai, sign, value = element.partition("=")
        if not sign:
            raise _WrongCall(f"element {element!r}, expected AI=VALUE such as 422=392")
        further.append((ai, value))
    if not 1 <= args.number <= 99 or (args.form == "svg" and args.number > 1):
        raise _WrongCall(f"{args.number} copies, expected 1 to 99, and 1 of an SVG")
    if args.form == "svg":
        _check_svg(args)
    drawing = _drawing(args, lot_label(args.gtin, args.lot, tuple(further), lines=tuple(args.line)))
    with ExitStack() as open_ones:
        _put(args, {f"{args.gtin}": drawing}, _printer(args, open_ones), copies=args.number)


def _begin(args: argparse.Namespace) -> None:
    start = _counter(args).begin(args.start)
    print(f"the counter stands at {start}")


def _left(args: argparse.Namespace) -> None:
    print(_counter(args).left())


def _counter(args: argparse.Namespace) -> SsccCounter:
    from edge.config import read_config
    from edge.errors import ConfigError
    from edge.sscc import SsccCounter

    config = read_config(args.config)
    if config.labels is None:
        raise ConfigError(f"{args.config} has no [labels]: set company_prefix, first and last there")
    return SsccCounter(config.store, config.anchor, config.labels)


def _check_svg(args: argparse.Namespace) -> None:
    if args.printer is not None:
        raise _WrongCall("a printer's raw port takes ZPL; leave --form svg out")
    if args.number > 1 and not (args.out is not None and args.out.is_dir()):
        raise _WrongCall(
            "several SVG labels need --out with a folder that is there; each gets a file of its own"
        )


def _drawing(args: argparse.Namespace, label: Label) -> Drawing:
    from gs1 import Paper, draw

    paper = Paper(args.width_mm, args.height_mm, args.dpi)
    return draw(label, paper, rectangular=args.rectangular)


def _printer(args: argparse.Namespace, open_ones: ExitStack) -> Printer | None:
    from zonegate.printing import Printer

    return None if args.printer is None else open_ones.enter_context(Printer(args.printer))


def _put(
    args: argparse.Namespace, drawings: dict[str, Drawing], printer: Printer | None, *, copies: int = 1
) -> None:
    from gs1 import label_svg, label_zpl

    if args.form == "svg":
        for name, drawing in drawings.items():
            svg = label_svg(drawing)
            if args.out is None:
                sys.stdout.write(svg)
            else:
                target = args.out / f"{name}.svg" if args.out.is_dir() else args.out
                target.write_text(svg, "utf-8")
        return
    zpl = "".join(label_zpl(drawing, copies) for drawing in drawings.values())
    if printer is not None:
        printer.send(zpl)
    elif args.out is not None:
        args.out.write_text(zpl, "ascii")
    else:
        sys.stdout.write(zpl)
        sys.stdout.flush()
