# SPDX-License-Identifier: Apache-2.0
"""The center over HTTP: the exchange, the import, the reading API, the pages."""
