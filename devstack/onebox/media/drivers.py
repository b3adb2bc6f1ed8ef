# SPDX-License-Identifier: Apache-2.0
"""The driver ISO: a small data CD in the manner of the virtio drivers'."""

from pathlib import Path
import tempfile

from devstack.onebox.media import cache
from devstack.onebox.media import host

LABEL = 'DRIVERS'
# Text of known content stands for each driver: no guest here loads them, the
# tests compare the bytes.
CONTENT = {
    'README.txt': 'Example drivers for tests of nova-newos.\r\n',
    'viostor/w11/amd64/viostor.inf': '[Version]\r\nClass = SCSIAdapter\r\n',
    'NetKVM/w11/amd64/netkvm.inf': '[Version]\r\nClass = Net\r\n',
}


def obtain(store, say):
    """Return the path of the driver ISO, building it when not cached.

    :param store: a cache.Cache.
    :param say: called with one line of progress.
    :raises MediaError: when a step fails.
    """
    host.install_missing(say)
    key = cache.key_of(Path(__file__).read_bytes())
    return store.product(
        'drivers.iso', key, lambda target: _build(target, say)
    )


def _build(target, say):
    say('making the driver ISO')
    with tempfile.TemporaryDirectory() as directory:
        for name, text in CONTENT.items():
            path = Path(directory) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, newline='')
        host.run(
            'xorriso',
            '-as',
            'mkisofs',
            '-quiet',
            '-J',
            '-R',
            '-V',
            LABEL,
            '-o',
            target,
            directory,
        )
