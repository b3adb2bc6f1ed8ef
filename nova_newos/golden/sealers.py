# SPDX-License-Identifier: Apache-2.0
"""Sealers: find them, fail closed, and run them one after the other."""

import re

from oslo_log import log as logging

from nova_newos import exception
from nova_newos import plugins
from nova_newos.golden import base
from nova_newos.golden import exception as golden_exception
from nova_newos.golden import inspection

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_newos.sealers'

_NAME = re.compile(r'[a-z][a-z0-9-]{0,15}')

_EXTENSIONS = plugins.ExtensionPoint(
    NAMESPACE,
    base.Sealer,
    golden_exception.SealerLoadError,
    lambda name: bool(_NAME.fullmatch(name)),
)


class Sealers:
    """The sealers of one process.

    :ivar enabled: list of :class:`~nova_newos.golden.base.Sealer`, those of
        ``[newos] sealers`` in that order
    """

    def __init__(self, conf):
        """Load the enabled sealers.

        :param conf: an ``oslo_config.cfg.ConfigOpts`` with our options
        :raises SealerLoadError: for a name that no installed package
            provides, or an entry point that yields no usable sealer
        """
        self.enabled = _EXTENSIONS.load_all(conf, conf.newos.sealers)

    def seal(self, disk, appliance):
        """Run all sealers on a copy.

        :param disk: a :class:`~nova_newos.golden.base.Disk`; only its path is
            written. After a failure it is of no use any more.
        :param appliance: a :class:`~nova_newos.golden.appliance.Appliance`
        :returns: dict of sealer name to its report, or to the
            :class:`~nova_newos.golden.base.LastBoot` that it asks for, in the
            order they ran
        :raises NewosError: what the first sealer that fails raises
        :raises SealFailed: for any other exception of a sealer
        """
        results = {}
        for sealer in self.enabled:
            LOG.info('Sealing %s: %s', disk.path, sealer.name)
            result = _typed(sealer.name, sealer.seal, disk, appliance)
            if isinstance(result, base.LastBoot):
                _typed(sealer.name, inspection.as_plan, result)
            results[sealer.name] = result
        return results


def reports(results, findings):
    """What the sealers have to say when all is done.

    :param results: as :meth:`Sealers.seal` returns them
    :param findings: dict of sealer name to its
        :data:`~nova_newos.golden.base.Findings`
    :returns: dict of sealer name to str
    :raises NewosError: what the first sealer that refuses the image raises
    :raises SealFailed: for any other exception of a sealer
    """
    return {
        name: base.sanitize(
            _typed(name, result.report, findings[name])
            if isinstance(result, base.LastBoot)
            else result,
            base.REPORT_LENGTH,
        )
        for name, result in results.items()
    }


def _typed(name, function, *arguments):
    """Call a sealer's function, with an error of ours for any other."""
    try:
        return function(*arguments)
    except exception.NewosError:
        raise
    except Exception as error:
        LOG.exception('Sealer %s failed', name)
        raise golden_exception.SealFailed(
            tool=name, reason=f'{type(error).__name__}: {error}'
        ) from error
