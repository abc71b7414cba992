# SPDX-License-Identifier: Apache-2.0
"""The record between docks and center: the entry's form, the chain's rules, the exchange, MQTT, EPCIS."""
