"""What docs/push-api.md promises is what the program does."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboard import api, pushed, senders
from data.tokens import sign, token_sha256

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "push-api.md").read_text(encoding="utf-8")
SECRET = "pingan_0a1b2c3d_" + "x" * 43


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


def expected(stamp):
    message = f"POST\n/api/v1/incidents\n{stamp}\nk-1\n".encode() + b'{"a": 1}'
    return sign(token_sha256(SECRET), message).decode()


def test_the_python_recipe_signs_as_the_server_checks():
    (code,) = blocks("python")
    names = {}
    exec(compile(code, "push-api.md", "exec"), names)  # noqa: S102 - our own text
    found = names["signed"](SECRET, "POST", "/api/v1/incidents", "k-1", b'{"a": 1}')
    assert found[senders.ID_HEADER] == "0a1b2c3d"
    assert found[senders.SIGNATURE_HEADER] == expected(found[senders.TIMESTAMP_HEADER])
    assert found[senders.KEY_HEADER] == "k-1"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_the_shell_recipe_signs_as_the_server_checks(tmp_path):
    (tmp_path / "body.json").write_bytes(b'{"a": 1}')
    script = blocks("sh")[-1] + '\necho "$id $stamp $signature"'
    environ = {"PINGAN_TOKEN": SECRET, "key": "k-1", "PATH": "/usr/bin:/bin:/usr/local/bin"}
    told = subprocess.run(
        ["sh", "-ec", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    number, stamp, signature = told.stdout.split()
    assert (number, signature) == ("0a1b2c3d", expected(stamp))


def test_every_status_that_is_given_is_explained_and_no_other():
    given = {pushed.PushError("").status}
    for module in (api, pushed):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                given |= {
                    value.value
                    for value in [*node.args, *(keyword.value for keyword in node.keywords)]
                    if isinstance(value, ast.Constant)
                    and type(value.value) is int
                    and 200 <= value.value < 600
                }
    explained = {int(number) for number in re.findall(r"^\| (\d{3}) \|", TEXT, re.MULTILINE)}
    assert explained == given


def test_the_limits_are_the_programs():
    assert f"| rows of a batch | {pushed.MOST_ROWS:,} |" in TEXT
    assert f"| bytes of a body | {api.LARGEST_PUSH >> 20} MiB," in TEXT
    assert f"{senders.BURST} at once, {senders.PER_SECOND:.0f} a second after that" in TEXT
    assert f"at most {senders.SLACK_S} from the server's clock" in TEXT
