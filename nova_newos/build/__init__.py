# SPDX-License-Identifier: Apache-2.0
"""Builds: from an install ISO to a tested golden image, by a client.

A build is what the cloud has of it: the servers and images that bear its tag.
:func:`~nova_newos.build.engine.advance` looks at them and does the next step;
calling it again, or from elsewhere, is harmless. No service runs for a build
and nothing keeps a credential: it goes on while a client calls.
"""
