# SPDX-License-Identifier: Apache-2.0
"""One scenario a module."""
