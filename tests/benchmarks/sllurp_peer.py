# SPDX-License-Identifier: Apache-2.0
"""Decodes tag reports with sllurp, as a program of its own: `python sllurp_peer.py FILE sllurp.llrp`, in
sllurp's own environment. Knows nothing of ours.

FILE holds frames, each behind its length in four bytes. For each line on standard input all of them are
decoded once, every value of every tag is added up, and a line of JSON says the microseconds of processor
time and the sum.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from binascii import unhexlify
from pathlib import Path
from zlib import crc32


def main() -> None:
    """Answer each line until there are no more."""
    message = importlib.import_module(sys.argv[2]).LLRPMessage
    data = Path(sys.argv[1]).read_bytes()
    frames = []
    while data:
        size = int.from_bytes(data[:4], "big")
        frames.append(data[4 : 4 + size])
        data = data[4 + size :]
    for _ in sys.stdin:
        gc.collect()
        gc.disable()
        began = time.process_time_ns()
        total = 0
        for frame in frames:
            for tag in message(msgbytes=frame).msgdict["RO_ACCESS_REPORT"]["TagReportData"]:
                total += crc32(unhexlify(tag["EPC-96"])) + tag["AntennaID"] + tag["TagSeenCount"]
                total += tag["FirstSeenTimestampUTC"] + tag["LastSeenTimestampUTC"] + tag["ChannelIndex"]
                if "ImpinjPeakRSSI" in tag:
                    total += tag["ImpinjPeakRSSI"] + tag["ImpinjRFPhaseAngle"]
                    total += tag["ImpinjRFDopplerFrequency"]
                else:
                    total += 100 * tag["PeakRSSI"]
        spent = time.process_time_ns() - began
        gc.enable()
        print(json.dumps({"us": spent / 1000, "sum": total}), flush=True)


if __name__ == "__main__":
    main()
