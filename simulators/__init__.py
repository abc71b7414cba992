# SPDX-License-Identifier: Apache-2.0
"""The other side of every wire: scanners, a yard with trucks, a subscriber, a grader, a saboteur.

Programs of their own. They know the protocols and the papers' documented form, and share no rule with the
service they exercise.
"""
