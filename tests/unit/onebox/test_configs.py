# SPDX-License-Identifier: Apache-2.0

import configparser
import itertools
import json

from devstack.onebox import cloud
from devstack.onebox import configs
from devstack.onebox import services
from devstack.onebox import settings
from devstack.onebox import state
from tests.unit import base


class _Passwords(dict):
    def __missing__(self, name):
        return f'word-of-{name}'


def make_box(kvm=False, **choices):
    return configs.Deployment(
        state.State('/var/lib/box'),
        settings.merge(None, **choices),
        _Passwords(),
        kvm,
    )


def parse(text):
    # oslo.config lets some options be given more than once.
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    return parser


def programs(box, ours='digest'):
    """What supervisord is told of each service."""
    texts = configs.files(box) | services.uwsgi_files(box)
    return parse(services.supervisord_conf(box, texts, ours))


def changed(before, after):
    """Names of the services that supervisord has changed."""
    return {
        name.removeprefix('program:')
        for name in before.sections()
        if before[name] != after[name]
    }


class ConfigsTestCase(base.TestCase):
    def test_nova_compute_cannot_reach_the_database(self):
        box = make_box(overrides=['database.connection=x', 'DEFAULT.debug=1'])
        text = configs.files(box)['nova/nova-cpu.conf']
        parsed = parse(text)
        self.assertNotIn('database', parsed)
        self.assertNotIn('api_database', parsed)
        self.assertNotIn('mysql', text)
        self.assertEqual('1', parsed['DEFAULT']['debug'])

    def test_nova_has_its_own_filters_and_ours(self):
        text = configs.files(make_box())['nova/nova.conf']
        self.assertEqual(2, text.count('\navailable_filters = '))

    def test_overrides_win(self):
        box = make_box(
            overrides=['libvirt.images_type=raw', 'newos.root_disk_size=3']
        )
        parsed = parse(configs.files(box)['nova/nova-cpu.conf'])
        self.assertEqual('raw', parsed['libvirt']['images_type'])
        self.assertEqual('3', parsed['newos']['root_disk_size'])

    def test_emulation_without_kvm(self):
        emulated, native = (
            parse(configs.files(make_box(kvm))['nova/nova-cpu.conf'])[
                'libvirt'
            ]
            for kvm in (False, True)
        )
        self.assertEqual(
            ('qemu', 'none'), (emulated['virt_type'], emulated['cpu_mode'])
        )
        self.assertEqual('kvm', native['virt_type'])
        self.assertNotIn('cpu_mode', native)

    def test_every_port_is_of_the_base_and_used_once(self):
        made = settings.merge(None, port_base=20000)
        ranges = [range(port, port + 1) for port in made.ports.values()]
        for first, last in (made.console_ports, made.display_ports):
            ranges.append(range(first, last + 1))
        every = list(itertools.chain(*ranges))
        self.assertEqual(len(every), len(set(every)))
        self.assertTrue(all(20000 <= port < 20500 for port in every))

    def test_everything_listens_on_loopback(self):
        box = make_box()
        for text in services.uwsgi_files(box).values():
            self.assertRegex(text, r'http-socket = 127\.0\.0\.1:\d+\n')
        self.assertIn(
            'listeners.tcp.default = 127.0.0.1:',
            configs.files(box)['rabbitmq.conf'],
        )
        parsed = programs(box)
        for name, option in (
            ('mariadb', '--skip-networking'),
            ('epmd', '-address 127.0.0.1'),
        ):
            self.assertIn(option, parsed[f'program:{name}']['command'])

    def test_clouds_of_an_administrator_and_two_others(self):
        clouds = json.loads(json.dumps(configs.clouds(make_box())))['clouds']
        users = {
            name: cloud['auth']['username'] for name, cloud in clouds.items()
        }
        self.assertEqual(
            {'onebox-admin': 'admin', 'onebox': 'demo', 'onebox-alt': 'alt'},
            users,
        )
        self.assertEqual({'demo': ['member']}, cloud.PROJECTS['demo'])
        self.assertEqual({'alt': ['member']}, cloud.PROJECTS['alt'])


class ServicesTestCase(base.TestCase):
    def test_the_same_choices_restart_nothing(self):
        self.assertEqual(
            set(), changed(programs(make_box()), programs(make_box()))
        )

    def test_another_driver_restarts_nova_compute_only(self):
        stock = make_box(compute_driver='libvirt.LibvirtDriver')
        self.assertEqual(
            {'nova-compute'}, changed(programs(make_box()), programs(stock))
        )

    def test_a_changed_checkout_restarts_those_that_load_it(self):
        box = make_box()
        stock = make_box(compute_driver='libvirt.LibvirtDriver')
        for of_box, expected in (
            (box, {'nova-compute', 'glance'}),
            (stock, {'glance'}),
        ):
            self.assertEqual(
                expected,
                changed(
                    programs(of_box, ours='1'), programs(of_box, ours='2')
                ),
            )

    def test_options_that_only_nova_compute_reads_restart_it_only(self):
        for option in (
            'libvirt.images_type=raw',
            'DEFAULT.resume_guests_state_on_host_boot=true',
        ):
            raw = make_box(overrides=[option])
            self.assertEqual(
                {'nova-compute'}, changed(programs(make_box()), programs(raw))
            )

    def test_options_of_uploads_restart_glance_only(self):
        for group, option, value in (
            ('newos_iso', 'refuse', 'unknown'),
            ('newos_appliance', 'max_disk_size', '7'),
        ):
            with self.subTest(group=group):
                box = make_box(overrides=[f'{group}.{option}={value}'])
                self.assertEqual(
                    {'glance'}, changed(programs(make_box()), programs(box))
                )
                text = configs.files(box)['glance/glance-api.conf']
                self.assertEqual(value, parse(text)[group][option])

    def test_an_option_of_all_restarts_all_of_nova_only(self):
        debug = make_box(overrides=['DEFAULT.debug=true'])
        self.assertEqual(
            {
                'nova-api',
                'nova-conductor',
                'nova-scheduler',
                'nova-novncproxy',
                'nova-compute',
            },
            changed(programs(make_box()), programs(debug)),
        )

    def test_supervisord_starts_and_restarts_nothing_by_itself(self):
        parsed = programs(make_box())
        for name in services.table(make_box()):
            program = parsed[f'program:{name}']
            self.assertEqual('false', program['autostart'])
            self.assertEqual('false', program['autorestart'])

    def test_guests_outlive_libvirtd(self):
        parsed = programs(make_box())
        self.assertEqual('false', parsed['program:libvirtd']['stopasgroup'])
        self.assertEqual('true', parsed['program:rabbitmq']['killasgroup'])
