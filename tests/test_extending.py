"""A search method and a PRM format of one's own, each one file and one registration, from a run to the figure.

Run: python -m pytest tests/test_extending.py
"""

from dataclasses import replace

import pytest
from toy_format import ToyFormat, write_toy_prm
from toy_method import KeepOne

import ttslib as tts
from ttslib import prms
from ttslib.prms import FORMATS
from ttslib.search import METHODS, Look, Method, beam_search, register


@pytest.fixture
def toys(tmp_path):
    """Both registered, and the folder of a PRM in the toy format."""
    register(KeepOne())
    prms.register(ToyFormat)
    write_toy_prm(tmp_path / "toy-prm")
    yield tmp_path / "toy-prm"
    del METHODS["keep_one"], FORMATS["toy"]


def test_a_method_and_a_format_of_ones_own_from_a_run_to_the_figure(toys, tmp_path):
    policy = tts.ModelSpec("nano-llama-0.4m", {"backend": "transformers"})
    runs = [
        tts.Run(method, policy, str(toys), "nanomath", limit=4, n=n) for method in ("keep_one", "best_of_n") for n in
        (2, 4)
    ]
    planned = tts.run(runs, store=tmp_path / "store", dry_run=True)
    assert planned.missing.tolist() == [4] * 4 and planned.policy_tokens[1] == 4 * 4 * 69
    done = tts.run(runs, store=tmp_path / "store", progress=False)
    assert done.failed == "0 of 16 cells failed"
    rows = done.frame(votes=["prm_last_max"])
    assert rows.groupby(["method", "N"]).size().tolist() == [4, 4, 4, 4]
    one, best = (rows[(rows.method == method) & (rows.N == 4)].reset_index() for method in ("keep_one", "best_of_n"))
    assert (one.trajectories == 1).all() and (best.trajectories == 4).all()
    assert one.answer.tolist() == best.answer.tolist()  # the same samples, and the same choice among them
    table = tts.stats.estimate(rows, by=["method", "N"])
    picture, axes = tts.plots.figure()
    tts.plots.accuracy_axes(axes, table.N, tts.plots.heading(rows))
    tts.plots.accuracy_lines(axes, table, by="method")
    tts.plots.legend(axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()].count("Keep one") == 1
    paths = tts.plots.save(picture, tmp_path / "figures", "toys", table, done.provenance("nano"))
    assert {path.suffix for path in paths} == {".png", ".svg", ".csv", ".json"}
    tts.free()


def test_an_edited_method_does_not_find_the_records_of_the_one_before():
    class Longer(KeepOne):
        def shape(self, config):
            return super().shape(config)

    config = tts.search.SearchConfig(n=4)
    assert KeepOne().address(config) == KeepOne().address(config) != Longer().address(config)
    assert "version" in KeepOne().address(config) and "version" not in beam_search.address(config)


def test_a_method_without_a_part_is_refused_by_name():
    class Bare(Method):
        name, uses = "bare", ("n",)

    with pytest.raises(ValueError, match="The method Bare has no look: define it in its class"):
        register(Bare())
    Bare.look = Look("Bare", "black", "o")
    Bare.uses = ("n", "depth")
    with pytest.raises(ValueError, match="There is no setting 'depth'"):
        register(Bare())
    Bare.uses, Bare.name = ("n",), "dvts"
    with pytest.raises(ValueError, match="There is a method 'dvts' in ttslib: give yours another name"):
        register(Bare())
    assert "bare" not in METHODS and METHODS["dvts"].look.label == "DVTS"
    with pytest.raises(ValueError, match="No look for 'bare'"):
        tts.plots.look("bare")


def test_a_method_registered_again_is_the_new_one():
    first, second = register(KeepOne()), register(KeepOne())
    assert METHODS["keep_one"] is second is not first
    del METHODS["keep_one"]
    run = tts.Run("keep_one", "nano-llama-0.4m", "nano-prm-qwen-m", "nanomath")
    with pytest.raises(ValueError, match="Unknown method 'keep_one'"):
        tts.run(replace(run, n=4))
