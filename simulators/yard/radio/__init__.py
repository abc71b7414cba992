# SPDX-License-Identifier: Apache-2.0
"""A dock with RFID gates as physics has it: antennas, tags, forklifts, photo eyes, and what a reader tells
of them.

Yields observations with their times, and the very bytes of the reader's protocol, beside the truth of what
was driven. May not know how a gate judges: it shares nothing with one but the protocol's codec.
"""
