"""Captions say where numbers come from."""

import re

import numpy as np
import pandas as pd
from PIL import Image

from reverbsynth.book.captions import Origin, _with_few_colours, commit_link, show, table
from reverbsynth.book.chapters import losses
from reverbsynth.book.players import MEDIA
from reverbsynth.provenance import REPOSITORY, commit
from reverbsynth.settings import Settings


class TestCaptions:
    def test_every_caption_ends_with_where_it_came_from(self, here, run):
        caption = "**Figure 17.** <Stages> of `z`"
        shown = show(losses.stage_legend(8), caption, run, "f17", alt='a "b"')
        text = shown._repr_html_()
        line = Origin.of(run).line
        assert f"<small>{Origin.of(run).html}</small></details></span></figcaption>" in text
        assert re.sub("<[^>]+>", "", text).endswith(f"i{line}")
        for part in (run.directory.name, "tiny", run.settings.hash, "abc123"):
            assert part in line
        assert line.endswith("A smoke run, not a result.")
        assert "<strong>Figure 17.</strong> &lt;Stages&gt; of <code>z</code>" in text
        assert 'alt="a &quot;b&quot;"' in text
        assert str(shown).endswith(line)

    def test_it_links_settings_and_commits(self, here, run):
        text = show(losses.stage_legend(8), "**F.**", run, "f17", alt="a")._repr_html_()
        (settings,) = re.findall(r'href="(media/[^"]+)"', text)
        assert Settings.load(here / settings).hash == run.settings.hash
        commits = re.findall(r'href="([^"]+/commit/[^"]+)"', text)
        assert commits[0] == f"{REPOSITORY}/commit/abc123"
        assert all("+" not in address for address in commits)

    def test_without_a_checkout_no_commit_is_linked(self):
        assert commit_link("unknown") == "unknown"

    def test_only_smoke_runs_are_called_so(self):
        assert "smoke" not in Origin.of(Settings.preset("paper")).line
        assert "smoke" in Origin.of(Settings.preset("tiny")).line

    def test_a_figure_drawn_at_another_commit_says_so(self, run):
        assert f"drawn at commit {commit()}" in Origin.of(run).line
        assert "drawn at" not in Origin.of(Settings.preset("paper")).line

    def test_the_picture_carries_its_provenance(self, here, run):
        show(losses.stage_legend(8), "**Figure 17.**", run, "f17", alt="a")
        with Image.open(MEDIA / "f17.png") as picture:
            assert picture.info["Source"] == Origin.of(run).line
            assert picture.info["Title"] == "Figure 17."

    def test_a_transparent_picture_keeps_its_opacities(self):
        rows = np.zeros((2, 16, 4), np.uint8)
        rows[0] = [255, 0, 0, 255]
        rows[1, :, :3], rows[1, :, 3] = 0x76, np.arange(0, 256, 17)
        reduced, opacities = _with_few_colours(Image.fromarray(rows, "RGBA"))
        reduced.info["transparency"] = opacities
        again = np.asarray(reduced.convert("RGBA"))
        assert (again[0] == [255, 0, 0, 255]).all()
        assert (again[1, :, 3] == rows[1, :, 3]).all()
        assert (again[1, 1:-1, :3] == 0x76).all()

    def test_tables_show_numbers_and_escape_text(self, here, run):
        frame = pd.DataFrame({"name": ["<a>"], "count": [12_345], "share": [0.126], "x": [np.nan]})
        text = table(frame, "**Table.**", run, "t")._repr_html_()
        assert '<th scope="row">&lt;a&gt;</th>' in text
        assert text.count('<th scope="col"') == 4
        assert "<caption>" in text
        assert "<figcaption>" not in text
        assert ">12,345</td>" in text
        assert ">0.13</td>" in text
        assert '<td class="rs-number"></td>' in text
        assert Origin.of(run).html in text

    def test_intervals_and_ranges_stay_on_one_line(self, here, run):
        cells = pd.DataFrame({"measure": ["x"], "value": ["1.0 [0.5, 1.5]"], "of": ["2 (1 to 3)"]})
        html = table(cells, "Ranges", run, "ranges").data
        assert "1.0 [0.5,\u00a01.5]" in html
        assert "2 (1\u00a0to\u00a03)" in html

    def test_a_table_of_nothing_is_empty(self, here, run):
        assert "<tbody></tbody>" in table(pd.DataFrame(), "**Nothing.**", run, "t")._repr_html_()
