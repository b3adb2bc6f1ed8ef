# SPDX-License-Identifier: Apache-2.0
"""Whether a copy is sealed, and all that is done to it before it is an image.

The copy is sealed if that is asked for, and inspected: a sealed disk takes two
boots of the appliance, one that is only inspected takes one.
"""

import contextlib
import threading

from oslo_log import log as logging
from oslo_utils import strutils

from nova_newos import exception
from nova_newos.golden import appliance
from nova_newos.golden import base
from nova_newos.golden import exception as golden_exception
from nova_newos.golden import inspection
from nova_newos.golden import leftovers
from nova_newos.golden import provenance
from nova_newos.golden import sealers
from nova_newos.golden import verdict

LOG = logging.getLogger(__name__)

#: Key of the server's metadata, and name of the install ISO's property.
NAME = 'newos_seal'

# Seconds that an image waits for its turn. It holds one of Nova's threads
# meanwhile, of which there are few, and one that is sealed takes minutes.
_WAIT = 60


def is_to_be_sealed(metadata, properties, policy):
    """Whether the golden image of a server is to be sealed.

    :param metadata: the server's metadata, str to str; wins
    :param properties: the install ISO's image properties, str to str
    :param policy: ``[newos] seal``: ``never``, ``allow`` or ``require``
    :raises PropertyInvalid, MetadataInvalid: when it is not a boolean
    :raises SealNotAllowed, SealRequired: when the operator does not want what
        the owner does
    """
    asked = _asked(metadata, properties)
    if asked is True and policy == 'never':
        raise golden_exception.SealNotAllowed()
    if asked is False and policy == 'require':
        raise golden_exception.SealRequired()
    return policy == 'require' or bool(asked)


def _asked(metadata, properties):
    """What the owner asks for, None for nothing."""
    for values, error in (
        (metadata, exception.MetadataInvalid),
        (properties, exception.PropertyInvalid),
    ):
        if NAME in values:
            return _boolean(values[NAME], error)
    return None


def _boolean(value, error):
    try:
        return strutils.bool_from_string(value, strict=True)
    except ValueError as invalid:
        raise error(
            name=NAME, value=value, expected='true or false'
        ) from invalid


class Finisher:
    """The sealers of this process, where they work, and what is refused."""

    def __init__(self, conf, emulate=False):
        """Load the sealers.

        :param conf: an ``oslo_config.cfg.ConfigOpts`` with our options
        :param emulate: True to do without KVM, see
            :class:`~nova_newos.golden.appliance.Appliance`
        :raises NewosError: when a sealer cannot be loaded
        """
        self._conf = conf
        self._emulate = emulate
        self._sealers = sealers.Sealers(conf)
        self._turns = threading.BoundedSemaphore(conf.newos.seal_concurrency)

    def finish(self, disk, is_sealed, keeps_answers=False):
        """Seal a copy if that is asked for, and hold it against the facts.

        :param disk: a :class:`~nova_newos.golden.base.Disk` that may be
            written, if it is to be sealed
        :param keeps_answers: whether what the installer has left of its
            answers becomes a property, which takes one boot more: sealing
            removes them
        :returns: dict of str to str, properties of the golden image
        :raises SealBusy: when others are sealed or inspected, and go on
        :raises NewosError: when it must not become one
        """
        with self._turn():
            # Its time begins.
            tools = appliance.Appliance(self._conf, emulate=self._emulate)
            kept = leftovers.properties(disk, tools) if keeps_answers else {}
            return kept | self._finish(disk, is_sealed, tools)

    @contextlib.contextmanager
    def _turn(self):
        if not self._turns.acquire(timeout=_WAIT):
            raise golden_exception.SealBusy(
                count=self._conf.newos.seal_concurrency
            )
        try:
            yield
        finally:
            self._turns.release()

    def _finish(self, disk, is_sealed, tools):
        results = {}
        if is_sealed:
            results = self._sealers.seal(disk, tools)
        found = self._inspect(disk, results, tools)
        reports = sealers.reports(results, found.asked if found else {})
        for name, report in reports.items():
            LOG.info('Sealed %s: %s: %s', disk.path, name, report)
        facts = verdict.facts(found and found.disk)
        LOG.info('Facts about %s: %s', disk.path, facts)
        verdict.check(facts, self._conf.newos.refuse)
        return _prefixed(provenance.SEAL_PREFIX, reports) | _prefixed(
            provenance.VERDICT_PREFIX, facts
        )

    def _inspect(self, disk, results, tools):
        """The last boot.

        :returns: an :class:`~nova_newos.golden.inspection.Inspection`; None
            for a guest that cannot be inspected, or not in time, and of which
            nothing but facts is wanted
        """
        wanted = {
            name: result
            for name, result in results.items()
            if isinstance(result, base.LastBoot)
        }
        try:
            return inspection.inspect(
                disk,
                tools,
                verdict.PATTERNS,
                wanted,
                write=True,
                everywhere=verdict.EVERYWHERE,
            )
        except golden_exception.SealFailed as error:
            if wanted:
                raise
            LOG.warning('No facts about %s: %s', disk.path, error)
            return None


def _prefixed(prefix, values):
    return {f'{prefix}{name}': value for name, value in values.items()}
