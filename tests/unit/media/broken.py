# SPDX-License-Identifier: Apache-2.0
"""A plug-in module that cannot be imported."""

Good = 1 / 0
