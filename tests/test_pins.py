"""The two lists of pinned packages, written by ``tools.pin``."""

from importlib.metadata import PackageNotFoundError, version

from tools.pin import PYPROJECT, REQUIREMENTS, constraints, pins, with_constraints


def test_both_lists_name_the_same_versions() -> None:
    constrained = constraints(PYPROJECT.read_text())
    required = pins(REQUIREMENTS.read_text())
    assert len(required) >= 30
    assert required.items() <= constrained.items()


def test_the_tests_run_on_what_is_pinned() -> None:
    for name, pinned in constraints(PYPROJECT.read_text()).items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue  # for another platform or another version of Python
        assert installed == pinned, name


def test_every_requirement_has_a_hash_and_none_an_address() -> None:
    text = REQUIREMENTS.read_text()
    for requirement in text.replace("\\\n", "").splitlines()[1:]:
        assert "--hash=sha256:" in requirement
    assert "://" not in text


def test_pins_are_read_as_they_are_written() -> None:
    written = with_constraints("a = 1\nconstraint-dependencies = [\n]\nb = 2\n", {})
    assert constraints(written) == {}
    pinned = {"one": "1.0", "two-more": "2.0rc1"}
    assert constraints(with_constraints(written, pinned)) == pinned
