# SPDX-License-Identifier: Apache-2.0
"""What ``tests/run`` hands over to once its tools are installed."""
