# SPDX-License-Identifier: Apache-2.0
"""What cloud-init of a guest is configured to do."""

import posixpath
import re

from . import ask
from . import paths

try:
    import yaml
except ImportError:
    yaml = None

#: What is said of a guest that leaves the list of datasources to cloud-init.
DEFAULT = 'default'

_DIRECTORY = '/etc/cloud'
# Bytes of all its configuration. It is text that people write.
_MAX_TEXT = 1 << 18
_LIST = 'datasource_list'
# Units without which it makes no host keys.
_UNITS = (
    'cloud-init.target',
    'cloud-init-local.service',
    'cloud-init-main.service',
    'cloud-init-network.service',
    'cloud-init.service',
)


def look(g):
    """Ask its configuration.

    :returns: dict: ``datasources``, list of names, :data:`DEFAULT` or None
        when it cannot be told; ``is_off``, whether it is switched off, other
        than by a file of its own
    """
    return {
        'datasources': ask.attempt(_datasources, g),
        'is_off': _is_masked(g) or ask.attempt(_is_policy_off, g),
    }


def _is_masked(g):
    """See systemctl(1), "mask"."""
    return any(
        ask.attempt(g.readlink, '/etc/systemd/system/' + unit) == '/dev/null'
        for unit in _UNITS
    )


def _is_policy_off(g):
    """Of its generator, which decides at boot whether it is to run."""
    text = b'\n'.join(_texts(g, [_DIRECTORY + '/ds-identify.cfg']))
    return re.search(rb'(?m)^\s*policy\s*:\s*disabled\b', text) is not None


def _datasources(g):
    """The last file that names them wins."""
    files = paths.matches(g, False, _DIRECTORY + '/cloud.cfg.d', '*.cfg')
    found = DEFAULT
    for text in _texts(g, [_DIRECTORY + '/cloud.cfg', *sorted(files)]):
        if _LIST.encode() in text:
            found = _parsed(text, found)
            if found is None:
                return None
    return found


def _parsed(text, default):
    """The names, or the default if there are none; None if unreadable."""
    if yaml is None:
        return None
    try:
        # Nothing but text, lists and mappings: no merge keys, which expand.
        loaded = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
        names = (loaded or {}).get(_LIST, default)
    except (yaml.YAMLError, ValueError, AttributeError, RecursionError):
        return None
    if names is default:
        return default
    if not isinstance(names, list) or len(names) > ask.LIMIT:
        return None
    if not all(isinstance(name, str) for name in names):
        return None
    return [ask.short(name) for name in names]


def _texts(g, files):
    """The bytes of those that are there.

    :raises RuntimeError: when one cannot be read, or is no small file
    """
    left = _MAX_TEXT
    for path in files:
        if not _is_there(g, path):
            continue
        left -= g.filesize(path)
        if left < 0 or not g.is_file(path, followsymlinks=True):
            raise RuntimeError(path)
        yield ask.as_bytes(g.read_file(path))


def _is_there(g, path):
    name = posixpath.basename(path)
    return path in paths.matches(g, False, posixpath.dirname(path), name)
