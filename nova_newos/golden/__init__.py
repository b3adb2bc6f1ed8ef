# SPDX-License-Identifier: Apache-2.0
"""What becomes of the copy of an installed disk before it is an image."""
