# SPDX-License-Identifier: Apache-2.0
"""What a build is to make, and how that is kept in the cloud."""

import dataclasses
import re

from nova_newos.build import exception
from nova_newos.build import words

#: How a candidate is tested.
NO_TEST, CONSOLE = 'none', 'console'

#: What every system with a console on the serial port ends its boot with.
LOGIN = r'\blogin:'


@dataclasses.dataclass(frozen=True)
class Plan:
    """The part of a build that outlives the client that has begun it.

    :ivar name: of the golden image, 1 to 255 characters
    :ivar flavor: id of the flavor of its servers
    :ivar network: 'none', 'auto', or the id of a network of its servers
    :ivar boot_test: 'none'; 'console' for a login prompt on the serial
        console; or a regular expression for a line on it
    :ivar keep_failed: whether what was made stays when the build fails
    """

    name: str
    flavor: str
    network: str = 'auto'
    boot_test: str = CONSOLE
    keep_failed: bool = False

    @property
    def pattern(self):
        """What the console shows of a golden image that boots, or None.

        :returns: a compiled regular expression over one line
        :raises BootTestInvalid: when it is none
        """
        if self.boot_test == NO_TEST:
            return None
        text = LOGIN if self.boot_test == CONSOLE else self.boot_test
        try:
            return re.compile(text)
        except re.error as error:
            raise exception.BootTestInvalid(
                pattern=text, reason=error
            ) from error

    def check(self):
        """Refuse what could not be kept, or not be done.

        :raises NewosError: see :mod:`nova_newos.exception`
        """
        for option, value in (
            ('name', self.name),
            ('boot test', self.boot_test),
        ):
            if not 0 < len(value) <= words.MAX_LENGTH:
                raise exception.PlanTooLong(
                    option=option, limit=words.MAX_LENGTH
                )
        self.pattern  # noqa: B018

    def as_metadata(self):
        """For the install server; dict of str to str."""
        return {
            words.ROLE: words.INSTALL,
            words.NAME: self.name,
            words.FLAVOR: self.flavor,
            words.NETWORK: self.network,
            words.BOOT_TEST: self.boot_test,
            words.KEEP_FAILED: str(self.keep_failed).lower(),
        }


def of(metadata):
    """The plan in the metadata of an install server.

    Its owner can change that.

    :raises PlanLost: when there is none any more
    """
    try:
        name, flavor = metadata[words.NAME], metadata[words.FLAVOR]
    except KeyError as error:
        raise exception.PlanLost(key=error.args[0]) from None
    return Plan(
        name=name,
        flavor=flavor,
        network=metadata.get(words.NETWORK) or 'auto',
        boot_test=metadata.get(words.BOOT_TEST) or CONSOLE,
        keep_failed=metadata.get(words.KEEP_FAILED) == 'true',
    )
