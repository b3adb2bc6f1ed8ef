# SPDX-License-Identifier: Apache-2.0
"""The driver. Nothing outside this package imports Nova."""
