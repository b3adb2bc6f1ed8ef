# SPDX-License-Identifier: Apache-2.0
"""What a build is to make, and how that is kept in the cloud."""

import dataclasses
import math

from nova_newos.build import boot_test
from nova_newos.build import exception
from nova_newos.build import words

#: Minutes that a candidate has to come up, on a machine without KVM too.
TEST_LIMIT = 30


@dataclasses.dataclass(frozen=True)
class Plan:
    """The part of a build that outlives the client that has begun it.

    :ivar name: of the golden image, 1 to 255 characters
    :ivar flavor: id of the flavor of its servers
    :ivar network: 'none', 'auto', or the id of a network of its servers
    :ivar boot_test: 'none'; 'console' for a login prompt on the serial
        console; 'port:N' for a TCP port; or a regular expression for a line
        on the console
    :ivar keep_failed: whether what was made stays when the build fails
    :ivar install_limit: minutes that the installation may take, 0 for as
        many as it likes
    :ivar test_limit: minutes that the candidate may take to come up
    """

    name: str
    flavor: str
    network: str = 'auto'
    boot_test: str = boot_test.CONSOLE
    keep_failed: bool = False
    install_limit: float = 0
    test_limit: float = TEST_LIMIT

    @property
    def test(self):
        """The :class:`~nova_newos.build.boot_test.BootTest`, or None.

        :raises BootTestInvalid: when it means nothing
        """
        return boot_test.parse(self.boot_test)

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
        if self.test and self.test.port and self.network == 'none':
            raise exception.BootTestUnreachable(port=self.test.port)

    def as_metadata(self):
        """For the install server; dict of str to str."""
        return {
            words.ROLE: words.INSTALL,
            words.NAME: self.name,
            words.FLAVOR: self.flavor,
            words.NETWORK: self.network,
            words.BOOT_TEST: self.boot_test,
            words.KEEP_FAILED: str(self.keep_failed).lower(),
            words.INSTALL_LIMIT: f'{self.install_limit:g}',
            words.TEST_LIMIT: f'{self.test_limit:g}',
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
        boot_test=metadata.get(words.BOOT_TEST) or boot_test.CONSOLE,
        keep_failed=metadata.get(words.KEEP_FAILED) == 'true',
        install_limit=_minutes(metadata.get(words.INSTALL_LIMIT), 0),
        test_limit=_minutes(metadata.get(words.TEST_LIMIT), TEST_LIMIT),
    )


def _minutes(text, default):
    """A number that its owner may have made nonsense of."""
    try:
        minutes = float(text)
    except (TypeError, ValueError):
        return default
    return minutes if 0 <= minutes < math.inf else default
