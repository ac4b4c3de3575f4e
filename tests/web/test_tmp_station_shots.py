import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parents[1] / "camera"))
import test_web_station as S
from test_web_station import *
from camera_plant import picture as camera_picture
from camera_rasters import label as raster
from simulators.camera.scene import Scene, Tablet
import pytest
OUT = Path("/tmp/w5/H_png"); OUT.mkdir(exist_ok=True)
_n = [0]
def real(text, colour, tablets):
    serial = text.split(" / ")[0]; _n[0] += 1
    shape, size = ("oval", 9.5) if colour[0] == 180 else ("round", 11)
    return camera_picture(Scene(serial, raster(serial), tuple(Tablet(colour, shape, size, False) for _ in range(tablets))), seed=_n[0]).evidence()

@pytest.mark.parametrize("language", ["ru", "en"])
def test_shots(world, request, page, language, monkeypatch):
    monkeypatch.setattr(S, "picture", real)
    opens = request.getfixturevalue("opens")
    plant = opens(QUIET)
    for width in (1280, 1920):
        page.size(width, 800 if width == 1280 else 1080)
        plant.opened(page, Role.PHARMACIST, "/station", language)
        plant.shown(page, plant.jobs[1])
        page.wait_for("document.getElementById('frame')?.naturalWidth > 10")
        page.screenshot(OUT / f"case_{language}_{width}.png")
    page.size(1280, 800)
    page.type(plant.jobs[2].pack)
    plant.shown(page, plant.jobs[2])
    page.evaluate("document.querySelector('[data-deed=reject]').click()")
    page.wait_for("!document.getElementById('reasons').hidden")
    page.screenshot(OUT / f"reasons_{language}.png")
    page.evaluate("document.querySelector('#reason-leave').click()")
    page.evaluate("document.getElementById('zoom').click()")
    page.screenshot(OUT / f"zoom_{language}.png")
    plant.hub.house = replace(plant.hub.house, station=StationRules(one_in=1))
    plant.opened(page, Role.HEAD, "/misses", language)
    page.screenshot(OUT / f"misses_{language}.png")
    plant.opened(page, Role.PHARMACIST, "/line", language)
    page.screenshot(OUT / f"line_{language}.png")
