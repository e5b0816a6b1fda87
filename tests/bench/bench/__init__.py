# SPDX-License-Identifier: Apache-2.0
"""What run.py measures and what it measures with."""
