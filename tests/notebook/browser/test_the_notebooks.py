"""Each notebook of ours in JupyterLab, from the first cell to the last."""

from __future__ import annotations

from pathlib import Path

from tests.notebook.browser.conftest import Sit
from tests.notebook.browser.test_drawing import DOWN, LINE, SOME, UP

NOTEBOOKS = sorted((Path(__file__).parents[3] / "notebooks").glob("*.py"))


def test_the_notebooks_run_and_their_charts_are_drawn(sit: Sit) -> None:
    """No cell fails, each chart is drawn and is left as a picture in the file. All at once: they mostly wait."""
    people = {source.stem: sit(path=source) for source in NOTEBOOKS}
    assert len(people) == 5
    for person in people.values():
        person.begin_all()
    for name, person in people.items():
        person.until_all()
        saved = person.save()
        outputs = [output for cell in saved.cells if cell.cell_type == "code" for output in cell.outputs]
        charts = [output for output in outputs if output.get("data", {}).get("text/plain", "").startswith("<Live")]
        assert [output for output in outputs if output.output_type == "error"] == [], name
        assert charts, name
        assert all("image/png" in chart.data for chart in charts), name
        assert person.page.locator(".rxws").count() == len(charts), name
        for view in range(person.canvases()):
            assert sum(person.pixels(*color, view=view) for color in (UP, DOWN, LINE)) > SOME, (name, view)
    for view in range(2):
        for color in (UP, DOWN):
            assert people["03_live_candles"].pixels(*color, view=view) > SOME
