"""What a run gets of the installation's defaults where it says nothing itself."""

from __future__ import annotations

from typing import Any

from selfimprove.api import Run
from selfimprove.api.installation import Defaults, with_defaults
from selfimprove.api.spec import Spec
from tests.unit.api_support import good

DEFAULTS = Defaults.model_validate(
    {
        "storage": {"uri": "s3://all/runs", "endpoint": "http://s3:8333", "credentialsSecretName": "shared"},
        "images": {"sampler": "sampler:1", "trainer": "trainer:1", "verifier": "verifier:1"},
    }
)


def filled(**spec: Any) -> Spec:
    document = good()
    document["spec"] |= spec
    return with_defaults(Run.model_validate(document).spec, DEFAULTS)


def test_a_run_that_names_no_storage_lies_in_the_installations() -> None:
    assert filled().storage == DEFAULTS.storage


def test_a_run_may_reach_the_installations_storage_by_keys_of_its_own() -> None:
    storage = filled(storage={"credentialsSecretName": "mine"}).storage
    assert (storage.uri, storage.endpoint, storage.credentials_secret_name) == (
        "s3://all/runs",
        "http://s3:8333",
        "mine",
    )


def test_a_storage_of_the_runs_own_takes_nothing_from_the_installations() -> None:
    storage = filled(storage={"uri": "s3://mine/runs"}).storage
    assert (storage.uri, storage.endpoint, storage.credentials_secret_name) == ("s3://mine/runs", None, None)


def test_an_image_of_the_runs_own_stands_beside_the_installations() -> None:
    images = filled(execution={"images": {"trainer": "mine:2"}}).execution.images
    assert (images.sampler, images.trainer, images.verifier) == ("sampler:1", "mine:2", "verifier:1")
