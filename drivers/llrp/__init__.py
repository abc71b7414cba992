# SPDX-License-Identifier: Apache-2.0
"""LLRP, the protocol of UHF RFID readers (EPCglobal LLRP 1.0.1 and 1.1, ports 5084 and, with TLS, 5085)."""
