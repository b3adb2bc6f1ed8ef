# SPDX-License-Identifier: Apache-2.0
"""Appliances that are imported become golden images that can boot."""
