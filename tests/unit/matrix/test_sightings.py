# SPDX-License-Identifier: Apache-2.0
"""Only what passed was seen."""

from tests.matrix import sightings
from tests.unit import base
from tests.unit.matrix import samples

FAKE = 'fake libvirt 2026.2'


class ValueTestCase(base.TestCase):
    def test_what_a_mark_may_leave_out(self):
        self.assertEqual(
            'create qcow2 works', sightings.value('create', 'qcow2')
        )

    def test_unknown_words(self):
        for wrong, words in {
            'creat': ('creat', 'qcow2'),
            'rbd': ('create', 'rbd'),
            'refuses': ('create', 'qcow2', 'refuses'),
        }.items():
            with (
                self.subTest(words=words),
                self.assertRaisesRegex(ValueError, repr(wrong)),
            ):
                sightings.value(*words)


class PlaceTestCase(samples.ResultsTestCase):
    def test_names(self):
        for name, place in {
            'functional-2025.1.xml': 'fake libvirt 2025.1',
            'functional-2026.2.xml': FAKE,
            'acceptance.xml': 'real 2026.2',
            'acceptance-2026.1.xml': 'real 2026.1',
            'unit-2026.2.xml': None,
        }.items():
            with self.subTest(name=name):
                self.assertEqual(place, sightings.place(self.directory / name))

    def test_no_such_release(self):
        with self.assertRaisesRegex(sightings.BadResults, '2025.1'):
            sightings.place(self.directory / 'functional-flat.xml')


class ReadTestCase(samples.ResultsTestCase):
    def read(self, *cases):
        return sightings.read(self.results('functional-2026.2.xml', *cases))

    def test_passed(self):
        self.assertEqual(
            {
                sightings.Sighting('create', 'qcow2', 'works', FAKE),
                sightings.Sighting('evacuate', 'flat', 'refused', FAKE),
            },
            self.read(
                samples.case('create qcow2 works', 'evacuate flat refused'),
                samples.case('create qcow2 works'),
                samples.case(),
            ),
        )

    def test_skipped(self):
        self.assertEqual(
            set(),
            self.read(
                samples.case('create qcow2 works', ended='<skipped/>'),
            ),
        )

    def test_one_failure_outweighs_what_passed(self):
        passed = samples.case('evacuate qcow2 refused', 'evacuate flat works')
        for ended in ('<failure/>', '<error/>'):
            failed = samples.case('evacuate qcow2 works', ended=ended)
            for cases in ((passed, failed), (failed, passed)):
                with self.subTest(cases=cases):
                    self.assertEqual(
                        {
                            sightings.Sighting(
                                'evacuate', 'qcow2', sightings.FAILED, FAKE
                            ),
                            sightings.Sighting(
                                'evacuate', 'flat', 'works', FAKE
                            ),
                        },
                        self.read(*cases),
                    )

    def test_unreadable(self):
        broken = self.directory / 'acceptance.xml'
        broken.write_text('<testsuites>')
        for path in (
            broken,
            self.directory / 'functional-2026.1.xml',
            self.results(
                'functional-2026.2.xml', samples.case('gone qcow2 works')
            ),
        ):
            with (
                self.subTest(path=path),
                self.assertRaisesRegex(sightings.BadResults, path.name),
            ):
                sightings.read(path)
