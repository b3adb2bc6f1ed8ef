# SPDX-License-Identifier: Apache-2.0
"""Make golden images from installer ISOs on an unmodified Nova."""
