# SPDX-License-Identifier: Apache-2.0
"""A media plug-in to copy."""
