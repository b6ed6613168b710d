"""Data sets and their sources.

Where it is tested what users of such software met with their own sounds:

- a source, its table or an effect's file changed after the build: `test_build`
- a few bad files, dealt to the splits after they are known: `test_build`, `sources.test_folder`
- missing shards, fewer records, strays beside them, compressed files: `sources.test_nsynth`
- names of notes, dynamics, middle C, counters: `tests.audio.test_note_names`, `sources.test_folder`
- noise, hits, offsets, errors of an octave: `tests.audio.test_pitch`
- formats and links, folders that cannot be read, hidden files: `sources.test_folder`
- sounds that tell no length: `tests.audio.test_io`
- silence before a note, its level and length: `test_preflight`, `sources.test_folder`
- tables as spreadsheets write them: `sources.test_table`
- paths with quotes, other scripts' spaces or ``~``: `tests.cli.test_data`, `sources.test_folder`
"""
