import importlib.metadata
import importlib.util

import pytest

from glassbench.errors import ComponentError, PluginError
from glassbench.registry import Registry

MODEL = """
    from glassbench import ModelSpec, hookimpl
    @hookimpl
    def glassbench_models():
        yield ModelSpec(name="{name}", summary="A model.", target="{target}")
"""


def model(name="tiny", target="json:loads"):
    return MODEL.format(name=name, target=target)


def status(registry):
    return {p.name: (p.status, p.reason) for p in registry.plugins}


def test_a_plugin_offers_its_components_under_short_and_canonical_names(install):
    registry = Registry(install("acme", model()))
    assert registry.find("model", "tiny") is registry.find("model", "acme/tiny")
    assert registry.plugins[0].status == "ok"
    assert registry.plugins[0].seconds > 0


def test_a_plugin_that_raises_on_import_costs_one_line_and_nothing_else(install):
    registry = Registry([*install("bad", "raise RuntimeError('no\\nway')"), *install("acme", model())])
    assert status(registry)["bad"] == ("broken", "RuntimeError: no ...")
    assert len(registry.warnings) == 1
    assert registry.find("model", "tiny")


def test_a_hook_that_raises_unregisters_the_plugin(install):
    code = """
    from glassbench import hookimpl
    @hookimpl
    def glassbench_models():
        raise ValueError("inside")
    @hookimpl
    def glassbench_run_start(folder):
        raise AssertionError("must not be called")
    """
    registry = Registry(install("bad", code))
    assert status(registry)["bad"] == ("broken", "ValueError: inside")
    assert registry.notify("glassbench_run_start", folder="x") == []


@pytest.mark.parametrize(
    "code",
    [
        "from glassbench import hookimpl\n@hookimpl\ndef glassbench_models():\n    return ['mlp']",
        "from glassbench import hookimpl, TaskSpec\n@hookimpl\ndef glassbench_models():\n"
        "    return [TaskSpec(name='a', summary='', target='a:b')]",
        "from glassbench import hookimpl, ModelSpec\n@hookimpl\ndef glassbench_models():\n"
        "    return [ModelSpec(name='Not A Name', summary='', target='a:b')]",
        "from glassbench import hookimpl, ModelSpec\n@hookimpl\ndef glassbench_models():\n"
        "    return [ModelSpec(name='a', summary='', target='os.system')]",
        "from glassbench import hookimpl\n@hookimpl\ndef glassbench_models(strange):\n    return []",
    ],
)
def test_what_breaks_the_contract_is_broken(install, code):
    assert Registry(install("bad", code)).plugins[0].status == "broken"


def test_a_misspelt_hook_is_reported_with_the_right_spelling(install):
    code = model() + "\n    @hookimpl\n    def glassbench_model():\n        return []\n"
    registry = Registry(install("acme", code))
    assert status(registry)["acme"] == ("ok", "implements an unknown hook glassbench_model, did you mean 'glassbench_models'?")


def test_a_blocked_plugin_is_not_imported(install, monkeypatch):
    entries = install("bad", "raise RuntimeError")
    assert status(Registry(entries, blocked=["bad"]))["bad"][0] == "blocked"
    monkeypatch.setenv("GLASSBENCH_PLUGINS", "-bad")
    assert status(Registry(entries))["bad"][0] == "blocked"
    monkeypatch.setenv("GLASSBENCH_PLUGINS", "other")
    assert status(Registry(entries))["bad"][0] == "blocked"


def test_a_plugin_for_another_version_is_not_imported(install):
    registry = Registry(install("old", "raise RuntimeError", requires=["glassbench<0.0.1"]))
    state, reason = status(registry)["old"]
    assert state == "incompatible"
    assert "glassbench <0.0.1" in reason


def test_an_extra_does_not_decide_compatibility(install):
    entries = install("fine", model(), requires=["glassbench<0.0.1; extra == 'old'"])
    assert Registry(entries).plugins[0].status == "ok"


def test_an_entry_point_found_twice_is_loaded_once(install):
    entries = install("acme", model())
    registry = Registry([*entries, *entries])
    assert len(registry.plugins) == len(registry.components) == 1


def test_two_plugins_of_one_distribution_cannot_offer_one_name(install):
    install("acme", model())
    dist = next(iter(importlib.metadata.Distribution.discover(name="acme")))
    twice = [importlib.metadata.EntryPoint(n, "acme", "glassbench")._for(dist) for n in ("one", "two")]
    # The same module under two names: pluggy refuses it, and the registry goes on.
    registry = Registry(twice)
    assert [p.status for p in registry.plugins] == ["ok", "broken"]
    assert len(registry.components) == 1


def test_a_name_offered_twice_within_a_distribution_is_a_conflict(install, tmp_path):
    entries = install("acme", model())
    (tmp_path / "acme_more.py").write_text((tmp_path / "acme.py").read_text())
    more = importlib.metadata.EntryPoint("more", "acme_more", "glassbench")._for(entries[0].dist)
    registry = Registry([*entries, more])
    assert [p.status for p in registry.plugins] == ["ok", "conflict"]


def test_an_ambiguous_short_name_lists_the_candidates(install):
    registry = Registry([*install("acme", model()), *install("other", model())])
    with pytest.raises(ComponentError) as caught:
        registry.find("model", "tiny")
    assert caught.value.available == ("acme/tiny", "other/tiny")


def test_a_misspelt_name_gets_the_nearest(install):
    with pytest.raises(ComponentError, match="did you mean 'tiny'"):
        raise_text(Registry(install("acme", model())), "tyny")


def raise_text(registry, name):
    try:
        registry.find("model", name)
    except ComponentError as error:
        raise ComponentError(str(error)) from error


def test_a_component_of_a_broken_plugin_says_why(install):
    with pytest.raises(ComponentError) as caught:
        Registry(install("bad", "raise RuntimeError('boom')")).find("model", "bad/net")
    assert "boom" in str(caught.value.fix)


def test_missing_packages_name_the_pip_command(install):
    code = model().replace("target=", "requires=('no_such_package',), extra='net', target=")
    with pytest.raises(ComponentError) as caught:
        Registry(install("acme", code)).find("model", "tiny").load()
    assert caught.value.fix == "pip install 'acme[net]'"


@pytest.mark.parametrize("target", ["no.such.module:X", "json:NoSuchName", "json:__doc__"])
def test_a_target_that_cannot_be_used_blames_the_component(install, target):
    with pytest.raises(PluginError, match="acme/tiny"):
        Registry(install("acme", model(target=target))).find("model", "tiny").load()


def test_a_lifecycle_hook_that_raises_is_a_complaint_not_a_crash(install):
    code = """
    from glassbench import hookimpl
    @hookimpl
    def glassbench_phase_done(phase):
        raise RuntimeError(phase)
    """
    complaints = Registry(install("loud", code)).notify("glassbench_phase_done", folder="f", phase="fit")
    assert complaints == ["plugin 'loud' raised in glassbench_phase_done: RuntimeError: fit"]


def test_every_built_in_plugin_is_ok():
    assert {p.status for p in Registry().plugins if p.distribution == "glassbench"} == {"ok"}


def test_every_built_in_target_can_be_imported_or_names_the_extra_that_is_missing():
    for component in Registry().components:
        if component.distribution != "glassbench":
            continue
        if all(importlib.util.find_spec(package) for package in component.spec.requires):
            assert callable(component.load())
        else:
            with pytest.raises(ComponentError) as caught:
                component.load()
            assert caught.value.fix == f"pip install 'glassbench[{component.spec.extra}]'"
