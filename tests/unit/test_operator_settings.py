"""What whoever installs the operator is told of a configuration that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove.errors import UserError
from selfimprove_operator.settings import read_settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("watchNamespace: [a]", "watchNamespace: there is no such setting; mend its name, or remove it"),
        (
            "resyncSeconds: 0",
            "resyncSeconds: 0 stands here (Input should be greater than 0); mend it",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_its_value(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        read_settings(file)
    assert str(error.value) == f"{file}: {said}"
