# SPDX-License-Identifier: Apache-2.0

import base64
import hashlib
import html.parser
import json
import pathlib
from unittest import mock

import ddt
import fixtures

from nova_newos.build import engine
from nova_newos.build import exception as build_exception
from nova_newos.build.console import exception
from nova_newos.build.console import page
from nova_newos.build.console import record
from nova_newos.build.console import tail
from tests.unit import base
from tests.unit.build import base as build_base
from tests.unit.build.console import host

# Whatever a guest may write to get out of where it is shown.
HOSTILE = (
    '</script><script>alert(1)</script><!--<script>]]>'
    '<img src=x onerror=alert(1)>&lt;\u2028"\\\\'
)


class Reader(html.parser.HTMLParser):
    """What a browser makes of a page."""

    def __init__(self):
        super().__init__()
        self.elements, self.texts, self._within = [], {}, None

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._within = tag, dict(attrs).get('class')

    def handle_endtag(self, tag):
        self._within = None

    def handle_data(self, data):
        self.texts.setdefault(self._within, []).append(data)

    @property
    def events(self):
        found = self.texts.get(('script', 'event'), ())
        return [json.loads(text) for text in found]


def read(text):
    reader = Reader()
    reader.feed(text)
    return reader


class PageTest(base.TestCase):
    def test_policy(self):
        """One script and one style, by what they are, and pictures in it."""
        reader = read(page.head('id'))
        [policy] = [
            attrs['content']
            for tag, attrs in reader.elements
            if attrs.get('http-equiv') == 'Content-Security-Policy'
        ]
        allowed = dict(p.strip().split(' ', 1) for p in policy.split(';'))
        self.assertEqual("'none'", allowed.pop('default-src'))
        self.assertEqual('data:', allowed.pop('img-src'))
        for tag in ('script', 'style'):
            [text] = reader.texts[tag, None]
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest())
            self.assertEqual(
                f"'sha256-{digest.decode()}'", allowed.pop(f'{tag}-src')
            )
        self.assertEqual({}, allowed)

    def test_nothing_from_elsewhere(self):
        for _tag, attrs in read(page.head('id')).elements:
            self.assertFalse({'src', 'href'} & set(attrs), attrs)

    def test_hostile_text(self):
        """It is what it was, and nothing else."""
        before = len(read(page.head('id')).elements)
        reader = read(page.head('id') + page.event({'text': HOSTILE}))
        self.assertEqual([{'text': HOSTILE}], reader.events)
        self.assertEqual(before + 1, len(reader.elements))
        self.assertEqual(1, page.event({'text': HOSTILE}).count('\n'))

    def test_player_makes_no_html(self):
        self.assertNotRegex(page.head('id'), 'innerHTML|document.write|eval')


@ddt.ddt
class TailTest(base.TestCase):
    @ddt.data(
        ('', 'a\n', 'a\n'),
        ('a\n', 'a\n', ''),
        ('a\nb', 'a\nbc\n', 'c\n'),
        # Nova shows the last part.
        ('a\nb\nc\n', 'b\nc\nd\n', 'd\n'),
        ('x\nx\nx\n', 'x\nx\ny\n', 'y\n'),
        ('abc' * 50, 'bc' + 'abc' * 49 + 'd', 'd'),
        # Another boot.
        ('a\nb\n', 'c\n', 'c\n'),
        ('a\nb\n', '', ''),
    )
    @ddt.unpack
    def test_news(self, before, after, expected):
        following = tail.Tail()
        self.assertEqual(before, following.news(before))
        self.assertEqual(expected, following.news(after))

    def test_hostile(self):
        """It takes no time, whatever it costs."""
        following = tail.Tail()
        following.news('a' * 100_000)
        text = 'a' * 50_000 + 'b' * 50_000
        self.assertEqual(text, following.news(text))

    def test_printable(self):
        self.assertEqual('[1mred\n\tx', tail.printable('\x1b[1mred\r\n\tx\0'))


class RecorderTest(build_base.BuildTestCase):
    def setUp(self):
        super().setUp()
        self.clock = 100
        self.useFixture(
            fixtures.MonkeyPatch('time.monotonic', lambda: self.clock)
        )
        self.directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'a', 'record'
        )
        self.build_id = self.create()
        self.happen()
        self.screen = mock.Mock()
        self.screen.look.return_value = host.plain('navy')
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.build.console.display.connect',
                mock.Mock(return_value=self.screen),
            )
        )

    def record(self, *looks):
        """Events of a record; a look each 5 s, each after a call."""
        with record.Recorder(
            self.cloud, self.build_id, self.directory
        ) as recorder:
            for prepare in looks:
                prepare()
                self.goes_on = recorder.look()
                self.clock += 5
        return self.read()

    def read(self):
        return read((self.directory / 'index.html').read_text()).events

    def show(self, image):
        return lambda: setattr(self.screen.look, 'return_value', image)

    def say(self, text):
        return lambda: self.cloud.consoles.update(install=text)

    def shots(self, *images):
        return [
            event.get('again', 'new')
            for event in self.record(*map(self.show, images))
            if {'again', 'picture'} & set(event)
        ]

    def test_all_kinds(self):
        events = self.record(
            self.say('Loading'),
            self.say('Loading ...\x1b[0m done'),
            lambda: None,
        )
        self.assertEqual(
            [
                (0, {'phase', 'detail'}),
                (0, {'text'}),
                (0, {'picture'}),
                (5, {'text'}),
            ],
            [(e['t'], set(e) - {'t'}) for e in events],
        )
        self.assertEqual(' ...[0m done', events[-1]['text'])
        self.assertRegex(events[2]['picture'], '^data:image/png;base64,iVBOR')
        self.assertTrue(self.goes_on)
        self.screen.close.assert_called_once_with()

    def test_each_picture_once(self):
        red, blue = host.plain('red'), host.plain('blue')
        self.assertEqual(
            ['new', 'new', 0, 1], self.shots(red, red, blue, red, blue)
        )

    def test_cursor(self):
        """It blinks for hours, and is seen once."""
        on = host.plain('black')
        on.paste('white', (8, 16, 16, 32))
        off = host.plain('black')
        self.assertEqual(['new', 'new'], self.shots(off, on, off, on, off, on))

    def test_another_size(self):
        small = host.plain('black', (8, 8))
        large = host.plain('black')
        self.assertEqual(['new', 'new', 0], self.shots(small, large, small))

    def test_playable_at_any_time(self):
        """Also when the recorder is killed at work."""
        recorder = record.Recorder(self.cloud, self.build_id, self.directory)
        recorder.look()
        self.assertEqual(2, len(self.read()))
        path = self.directory / 'index.html'
        text = path.read_text()
        self.assertTrue(text.endswith('</script>\n'))
        # The player leaves out what is cut off.
        self.assertIn('JSON.parse', text)
        recorder.__exit__()

    def test_over(self):
        events = self.record(
            lambda: None,
            lambda: self.cloud.servers.clear(),
        )
        self.assertFalse(self.goes_on)
        self.assertEqual('over', events[-1]['phase'])

    def test_failed(self):
        def fail():
            self.cloud.server('install').status = 'ERROR'

        events = self.record(fail)
        self.assertFalse(self.goes_on)
        self.assertEqual('failed', events[0]['phase'])

    def test_test_server(self):
        """Its console is another one."""
        self.cloud.consoles['test'] = 'Booting'

        def drive():
            for _step in range(9):
                if not self.cloud.server('test'):
                    self.happen()
                    engine.advance(self.cloud, self.build_id)
            self.happen()

        events = self.record(self.say('Booting'), drive)
        self.assertEqual(
            ['Booting', 'Booting'], [e['text'] for e in events if 'text' in e]
        )

    def test_size(self):
        """First without more pictures, then nothing."""
        for name, limit in (('MAX_PICTURES', 9000), ('MAX_LENGTH', 9500)):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'nova_newos.build.console.record.{name}', limit
                )
            )
        texts = ['x' * 4000, 'y' * 4000, 'z' * 4000]
        events = self.record(
            *map(self.say, texts), self.show(host.plain('red'))
        )
        self.assertEqual(1, sum('picture' in event for event in events))
        self.assertEqual(2, sum('text' in event for event in events))

    def test_not_over_another(self):
        self.record()
        with self.assertRaises(exception.RecordExists):
            self.record()

    def test_no_build(self):
        """Nothing is made then."""
        self.build_id = 'x'
        with self.assertRaises(build_exception.BuildNotFound):
            self.record()
        self.assertFalse(self.directory.exists())
