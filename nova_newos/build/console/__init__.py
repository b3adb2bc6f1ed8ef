# SPDX-License-Identifier: Apache-2.0
"""The screen of a build's server, through the VNC console that Nova gives.

It is seen and typed on as a member of the project, by the URL of
``POST /servers/ID/remote-consoles``, beside the people who look at the same
screen. What comes from there is the guest's or the network's, and is not
trusted.
"""
