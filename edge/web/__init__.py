# SPDX-License-Identifier: Apache-2.0
"""The pages of a dock: door screens, the status page and the HTTP interface behind both.

Talks to the dock through `edge.view.Desk` only; knows no journal, no books and no driver.
"""
