# SPDX-License-Identifier: Apache-2.0
"""What both doors find out about one ISO, and what follows from it."""

import dataclasses

from oslo_config import cfg
from oslo_log import log as logging
from oslo_utils import strutils

from glance_ext import exception
from nova_newos import iso

LOG = logging.getLogger(__name__)

#: Image property with the reason why the last import was refused.
REFUSED = 'newos_refused'


@dataclasses.dataclass(frozen=True)
class Findings:
    """What there is to say about the data of an image.

    :ivar medium: nova_newos.iso.Iso; None if the data is no ISO.
    :ivar systems: candidates, as Database.identify() returns them; None if
        there was no database to ask.
    """

    medium: iso.Iso | None = None
    systems: tuple[iso.System, ...] | None = None

    def properties(self):
        """Image properties that say it: ``{name: value}``."""
        if self.medium is None:
            return {}
        return iso.properties(self.medium, self.systems or ())

    def minimums(self, wanted, properties):
        """What an image needs: ``{'min_ram': MiB, 'min_disk': GiB}``.

        What is not known is not there. Of what nothing is installed from,
        nothing is known.

        :param wanted: the value of ``[newos_iso] minimums``
        :param properties: those that the image has
        """
        if not _is_installed_from({**self.properties(), **properties}):
            return {}
        ram, disk = iso.minimums(self.systems or ())
        known = {'ram': ram, 'disk': disk}
        return {f'min_{name}': known[name] for name in wanted if known[name]}

    def check(self, refuse, properties):
        """Refuse what the operator does not want.

        :param refuse: the value of ``[newos_iso] refuse``.
        :param properties: those that the image had before.
        :raises glance_ext.exception.IsoRefused: if it is refused.
        """
        if self.medium is None:
            if 'not_iso' in refuse:
                raise exception.NoIso()
            return
        if not _is_installed_from(properties):
            return
        label = self.medium.label
        if (
            'not_bootable' in refuse
            and self.medium.boot_known
            and not self.medium.firmware
        ):
            raise exception.NotBootable(label=label)
        if 'unknown' in refuse and self.systems == ():
            raise exception.UnknownIso(label=label)


def _is_installed_from(properties):
    return strutils.bool_from_string(
        properties.get('newos_install'), default=True
    )


def _identify(medium):
    path = cfg.CONF.newos_iso.database
    if not path:
        return None
    try:
        return iso.Database(path).identify(medium)
    except iso.NoDatabase as error:
        LOG.warning('ISOs are not recognised: %s', error)
        return None


def of(examine):
    """What an examination says.

    :param examine: returns a nova_newos.iso.Iso, or raises NotAnIso.
    :returns: Findings.
    """
    try:
        medium = examine()
    except iso.NotAnIso:
        return Findings()
    return Findings(medium, _identify(medium))
