"""Tables as files."""

import pytest


@pytest.fixture
def written(tmp_path):
    """Give a function that writes a text as a file and returns its path."""

    def write(text, name="x.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def sentence(tmp_path):
    """Give a function that returns the one sentence with which an action ends."""

    def of(action, *args, **options):
        with pytest.raises(ValueError) as error:
            action(*args, **options)
        text = str(error.value).replace(f"{tmp_path}/", "")
        assert "\n" not in text
        return text

    return of
