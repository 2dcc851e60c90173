"""What a shell and a bug report ask of the command line: completion, and versions to paste."""

import subprocess
import sys

import jax
import pytest

from jaxmetal.cli import main
from jaxmetal.cli.commands import COMMANDS
from jaxmetal.cli.completion import SHELLS
from jaxmetal.cli.example import EXAMPLES

COMPLETE = """
eval "$(cat)"
cd "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_jaxmetal jaxmetal "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
echo "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(capsys):
    """What a shell is given to read."""

    def made(shell):
        assert main(["completion", shell]) == 0
        return capsys.readouterr().out

    return made


def test_every_shell_gets_a_script_that_names_every_command(script):
    for shell in SHELLS:
        text = script(shell)
        assert all(module.__name__.rsplit(".", 1)[1] in text for module in COMMANDS), shell


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("fi",), {"fit"}),
        (("fit", "--q"), {"--quick", "--quiet"}),
        (("example", ""), set(EXAMPLES)),
        (("check", "gal"), {"galaxy.toml", "galaxy-results"}),
        (("fit", "galaxy.toml", "--start", "gal"), {"galaxy-results"}),
    ],
)
def test_bash_completes_commands_options_choices_files_and_folders(script, tmp_path, words, found):
    (tmp_path / "galaxy.toml").touch()
    (tmp_path / "galaxy-results").mkdir()
    asked = ["bash", "-c", COMPLETE, "complete", str(tmp_path), "jaxmetal", *words]
    done = subprocess.run(asked, input=script("bash"), capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == found


def test_completion_costs_the_help_nothing():
    code = "import sys; from jaxmetal.cli.commands import parser; parser().format_help(); print('shtab' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_the_version_says_what_a_report_needs(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    first, *lines = capsys.readouterr().out.splitlines()
    said = dict(line.split(": ", 1) for line in lines)
    assert first.split()[0] == "jaxmetal"
    assert said["jax"] == jax.__version__
    assert said["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"jaxlib", "numpyro", "platform"} <= said.keys()
    assert jax.devices()[0].platform in said["devices"]
    assert said["compiled programs"] == (jax.config.values["jax_compilation_cache_dir"] or "not kept")


def test_a_version_is_told_where_there_is_no_device(capsys, monkeypatch):
    def none():
        raise RuntimeError("Unable to initialize\nbackend 'cuda'")

    monkeypatch.setattr(jax, "devices", none)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert "devices: none (Unable to initialize backend 'cuda')" in capsys.readouterr().out
