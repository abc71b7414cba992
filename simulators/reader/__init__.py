# SPDX-License-Identifier: Apache-2.0
"""An RFID reader that speaks LLRP: kinds of it, its insides, its socket, and the troubles real ones have.

Tags are told to it as sightings, without a word of LLRP; what a client gets of them follows from the ROSpec
that the client set up. Knows no door and no gate.
"""

from __future__ import annotations
