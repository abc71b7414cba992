# SPDX-License-Identifier: Apache-2.0
"""What a door has beside scanners: RFID readers with eyes and lamps, judged by one gate, and cameras."""
