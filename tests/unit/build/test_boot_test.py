# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_newos.build import boot_test
from nova_newos.build import engine
from nova_newos.build import exception
from nova_newos.build import facts
from nova_newos.build import plan
from tests.unit import base
from tests.unit.build import base as build_base
from tests.unit.build import cloud as fake_cloud

# As cloud-init 22.4 of Debian 12 prints it.
KEYS = """\
Debian GNU/Linux 12 golden ttyS0
golden login: ci-info: +++Authorized keys from /home/debian/.ssh/authorized_keys+++
ci-info: | ssh-rsa | SHA256:{user} | - | me |
<14>Jan  1 00:00:00 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----
<14>Jan  1 00:00:00 cloud-init: 256 SHA256:{host} root@golden (ED25519)
<14>Jan  1 00:00:00 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----
"""  # noqa: E501


def keys(host, user='u'):
    return KEYS.format(host=host * 43, user=user * 43)


@ddt.ddt
class ParseTest(base.TestCase):
    @ddt.data('port:', 'port:0', 'port:65536', 'port:x', 'port:22 ', '(')
    def test_invalid(self, text):
        with self.assertRaises(exception.BootTestInvalid):
            boot_test.parse(text)

    def test_port(self):
        self.assertEqual(65535, boot_test.parse('port:65535').port)

    def test_port_without_network(self):
        wanted = plan.Plan('n', 'f', network='none', boot_test='port:22')
        with self.assertRaisesRegex(exception.BootTestUnreachable, 'port:22'):
            wanted.check()


class IdentitiesTest(base.TestCase):
    def test_host_keys(self):
        """And never those of users, which are the same everywhere."""
        one, other = (boot_test.identities(keys(host)) for host in 'ab')
        self.assertEqual((1, 1), (len(one), len(other)))
        self.assertFalse(one & other)

    def test_machine_id(self):
        one = boot_test.identities(f'machine-id: {"a" * 32}\n')
        self.assertEqual(1, len(one))
        self.assertEqual(one, boot_test.identities(f'Machine ID={"a" * 32}'))

    def test_what_looks_like_one(self):
        for text in (
            f'boot id {"a" * 32}',
            f'SHA256:{"a" * 43}',
            f'machine-id: {"a" * 33}',
            'machine-id: uninitialized',
        ):
            self.assertEqual(set(), boot_test.identities(text))

    def test_room(self):
        many = {f'{number:012}' for number in range(100)}
        kept = boot_test.as_metadata(many)
        self.assertLessEqual(len(kept), 255)
        self.assertLess(set(kept.split()), many)


class TestedTestCase(build_base.BuildTestCase):
    def setUp(self):
        super().setUp()
        self.cloud.on_capture = self.seal
        self.booted = []

    def seal(self, image):
        image.properties['seal_sysprep'] = 'host-keys'

    def happen(self):
        super().happen()
        server = self.cloud.server('test')
        if server is not None and server.id not in self.booted:
            self.booted.append(server.id)

    def reached(self, **kwargs):
        return self.drive(self.create(**kwargs))


class SealedTest(TestedTestCase):
    def boots(self, *consoles):
        """What the first, and the second boot shows."""
        answer = self.cloud.compute.get_server_console_output

        def output(server, length):
            found = answer(server, length)
            if server.id in self.booted:
                number = self.booted.index(server.id)
                return {'output': consoles[min(number, len(consoles) - 1)]}
            return found

        self.cloud.compute.get_server_console_output = output

    def test_different(self):
        self.boots(keys('a'), keys('b'))
        self.assertIs(engine.Phase.DONE, self.reached()[-1].phase)
        self.assertEqual(2, len(self.booted))
        self.assert_golden()

    def test_same(self):
        self.boots(keys('a'))
        last = self.reached()[-1]
        self.assertIs(engine.Phase.TEST, last.failed_in)
        self.assertIn('same SSH host key', last.detail)
        self.assertEqual(2, len(self.booted))
        self.assert_nothing_left()

    def test_nothing_shown(self):
        self.boots(build_base.LOGIN)
        self.reached()
        self.assertEqual(1, len(self.booted))
        self.assert_golden()

    def test_nothing_shown_the_second_time(self):
        self.boots(keys('a'), build_base.LOGIN)
        self.reached()
        self.assert_golden()

    def test_not_sealed(self):
        self.cloud.on_capture = lambda image: None
        self.boots(keys('a'))
        self.reached()
        self.assertEqual(1, len(self.booted))
        self.assert_golden()

    def test_cloud_init_is_waited_for(self):
        """It prints the keys after the login prompt, and then "finished"."""
        early = f'Cloud-init v. 22.4.2 running\n{build_base.LOGIN}'
        self.boots(early)
        build_id = self.create()
        for _step in range(30):
            status = engine.advance(self.cloud, build_id)
            self.happen()
        self.assertEqual('cloud-init is at work', status.detail)
        self.boots(
            early + keys('a') + 'Cloud-init v. 22.4.2 finished at', keys('b')
        )
        self.drive(build_id)
        self.assert_golden()
        self.assertEqual(2, len(self.booted))

    def test_killed_anywhere(self):
        self.boots(keys('a'), keys('b'))
        self.reached()
        for count in range(2, len(self.cloud.requests)):
            with self.subTest(requests=count):
                self.setUp()
                self.boots(keys('a'), keys('b'))
                self.cloud.kill_after = count
                build_id = self.create()
                try:
                    self.drive(build_id)
                except fake_cloud.Killed:
                    self.cloud.kill_after = None
                self.drive(build_id)
                self.assert_golden()
                self.assertEqual(2, len(self.booted))


class PortTest(TestedTestCase):
    def test_port(self):
        """Of any address that the server has, once one answers."""
        asked = []
        answering = []

        def connect(address, timeout):
            asked.append((*address, timeout))
            if address not in answering:
                raise ConnectionRefusedError
            return fake_cloud.Thing(close=lambda: None)

        original, facts.connect = facts.connect, connect
        self.addCleanup(setattr, facts, 'connect', original)
        build_id = self.create(boot_test='port:22')
        for _step in range(20):
            status = engine.advance(self.cloud, build_id)
            self.happen()
            server = self.cloud.server('test')
            if server is not None:
                server.addresses = {
                    'net': [{'addr': '192.0.2.1'}, {'addr': '2001:db8::1'}]
                }
        self.assertIs(engine.Phase.TEST, status.phase)
        self.assertIn('port 22', status.detail)
        self.assertEqual(
            {('192.0.2.1', 22, 2), ('2001:db8::1', 22, 2)}, set(asked)
        )
        answering.append(('2001:db8::1', 22))
        self.drive(build_id)
        self.assert_golden()
        # An answer says nothing of who answers.
        self.assertEqual(1, len(self.booted))
