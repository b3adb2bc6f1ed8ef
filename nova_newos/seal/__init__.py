# SPDX-License-Identifier: Apache-2.0
"""Sealers: find them, fail closed, and run them one after the other."""

import re

from oslo_log import log as logging

from nova_newos import exception
from nova_newos import plugins
from nova_newos.seal import base
from nova_newos.seal import text

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_newos.sealers'

_NAME = re.compile(r'[a-z][a-z0-9-]{0,15}')

_KIND = plugins.Kind(
    NAMESPACE,
    base.Sealer,
    exception.SealerLoadError,
    lambda name: bool(_NAME.fullmatch(name)),
)


class Sealers:
    """The sealers of one process.

    :ivar enabled: list of :class:`~nova_newos.seal.base.Sealer`, those of
        ``[newos] sealers`` in that order
    """

    def __init__(self, conf):
        """Load the enabled sealers.

        :param conf: an ``oslo_config.cfg.ConfigOpts`` with our options
        :raises SealerLoadError: for a name that no installed package
            provides, or an entry point that yields no usable sealer
        """
        self.enabled = _KIND.load_all(conf, conf.newos.sealers)

    def seal(self, disk, appliance):
        """Run all sealers on a copy.

        :param disk: a :class:`~nova_newos.seal.base.Disk`; only its path is
            written. After a failure it is of no use any more.
        :param appliance: a :class:`~nova_newos.seal.appliance.Appliance`
        :returns: dict of sealer name to its report, in the order they ran
        :raises NewosError: what the first sealer that fails raises
        :raises SealFailed: for any other exception of a sealer
        """
        return {
            sealer.name: _seal(sealer, disk, appliance)
            for sealer in self.enabled
        }


def _seal(sealer, disk, appliance):
    LOG.info('Sealing %s: %s', disk.path, sealer.name)
    try:
        report = sealer.seal(disk, appliance)
    except exception.NewosError:
        raise
    except Exception as error:
        LOG.exception('Sealer %s failed', sealer.name)
        raise exception.SealFailed(
            tool=sealer.name, reason=f'{type(error).__name__}: {error}'
        ) from error
    report = text.clean(report, base.REPORT_LENGTH)
    LOG.info('Sealed %s: %s: %s', disk.path, sealer.name, report)
    return report
