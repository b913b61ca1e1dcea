"""Rules about where models and datasets come from, and what their columns are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Found, Rule, each
from selfimprove.api.sound import known
from selfimprove.api.source import Dataset, HeldOut, Source, TestSet
from selfimprove.api.sources import datasets_of
from selfimprove.api.spec import Spec
from selfimprove.api.uris import (
    DATASET_SCHEMES,
    MODEL_SCHEMES,
    STORAGE_SCHEMES,
    Place,
    place_of,
    same_data,
    spoken,
)
from selfimprove.text_files import LINES

_SECRETS = {"credentials_secret_name": ("credentialsSecretName", "s3"), "token_secret_name": ("tokenSecretName", "hf")}
_FORMS = {
    "hf": (r"(datasets/)?[^/]+/[^/].*", "OWNER/NAME"),
    "s3": (r"[^/]+(/.*)?", "BUCKET/PREFIX"),
    "file": (r"/.*", "/ABSOLUTE/PATH"),
    "package": (r"[^/]+/.+", "DISTRIBUTION/PATH"),
    "gym": (r"[A-Za-z0-9_]+(\?.*)?", "NAME?size=1000&seed=0"),
}
"""What must follow `SCHEME://`, and how to write it."""
_UNREAD = re.compile(
    r"\.(csv|tsv|txt|md|xml|ya?ml|xlsx?|ods|arrow|feather|orc|avro|pkl|npy|npz|h5|db|sqlite|zip|tar|tgz|gz|bz2|xz|zst)\Z",
    re.IGNORECASE,
)
"""How files end that hold no rows which are read here. A folder of such a name is written with a slash at its end."""
_CONVERSIONS = {
    "csv": ' (pandas.read_csv("A").to_parquet("B") makes one)',
    "tsv": ' (pandas.read_csv("A", sep="\\t").to_parquet("B") makes one)',
    "arrow": ' (datasets.Dataset.from_file("A").to_parquet("B") makes one)',
}
_PACKED = re.compile(r"\.([ct]sv)\.(?:gz|bz2|xz|zst|zip)\Z", re.IGNORECASE)
"""What pandas unpacks as it reads it."""
_BUCKET = r"[A-Za-z0-9._-]+|arn:[A-Za-z0-9:._-]+"
"""What any bucket's name is made of, the upper case and _ of old ones with it, or an access point's ARN."""


def sets_of(spec: Spec) -> Iterator[tuple[str, Dataset | HeldOut | TestSet]]:
    """The sources of prompts with their fields."""
    return datasets_of(spec.dataset)


def model_uri(spec: Spec) -> Found:
    """A model is read from a place that can hold one."""
    yield from source_problems("model", spec.model, MODEL_SCHEMES)
    if spec.model.uri.startswith("hf://datasets/"):
        yield Problem("model.uri", f"{spec.model.uri} is a dataset; give hf://OWNER/NAME of a model")


@each(sets_of)
def dataset_uris(field: str, source: Dataset | HeldOut | TestSet) -> Found:
    """Prompts are read from places that can hold them."""
    yield from source_problems(field, source, DATASET_SCHEMES)
    rest = place_of(source.uri or "").rest
    if source.uri and source.uri.startswith("hf://") and not rest.startswith("datasets/"):
        yield Problem(f"{field}.uri", f"{source.uri} is a model; give hf://datasets/{rest} for a dataset")


@each(sets_of)
def dataset_files_are_read(field: str, source: Dataset | HeldOut | TestSet) -> Found:
    """What the end of its name tells to be no dataset file is refused before anybody fetches it."""
    scheme, rest, _ = place_of(source.uri or "")
    path = {"file": rest, "s3": rest.partition("/")[2]}.get(scheme, "")
    found = _UNREAD.search(path)
    if found and not path.lower().endswith(LINES):
        packed = _PACKED.search(path)
        convert = _CONVERSIONS.get((packed or found)[1].lower(), "")
        yield Problem(f"{field}.uri", f"{source.uri} is no dataset file; give .parquet or .jsonl{convert}")


def storage_uri(spec: Spec) -> Found:
    """Artifacts are written to S3 or to a folder; what only S3 understands goes with S3."""
    storage = spec.storage
    if storage.uri is None:
        return
    yield from uri_problems("storage.uri", storage.uri, STORAGE_SCHEMES)
    scheme = place_of(storage.uri).scheme
    for attribute, name in (("region", "region"), ("credentials_secret_name", "credentialsSecretName")):
        value = known(storage, attribute)
        if value is not None and scheme in ("file",):
            yield Problem(f"storage.{name}", f"{value} belongs to s3://, and storage.uri is {storage.uri}; remove it")


def storage_region(spec: Spec) -> Found:
    """A region is a name that can stand in a host's."""
    yield from region_problems("storage.region", spec.storage.region)


def storage_endpoint(spec: Spec) -> Found:
    """An endpoint is the address of a server."""
    yield from endpoint_problems("storage.endpoint", spec.storage.endpoint)


def resume_from(spec: Spec) -> Found:
    """Another run's artifacts lie where runs can lie."""
    if spec.resume_from is not None:
        yield from uri_problems("resumeFrom.uri", spec.resume_from.uri, STORAGE_SCHEMES)


def something_left_to_do(spec: Spec) -> Found:
    """A run goes on after what it adopts of another."""
    if spec.resume_from is not None and spec.resume_from.iteration >= spec.max_iterations:
        yield Problem(
            "resumeFrom.iteration",
            f"{spec.resume_from.iteration} leaves nothing to do with maxIterations {spec.max_iterations}; raise that",
        )


def held_out_is_one_thing(spec: Spec) -> Found:
    """Held-out prompts are a source of their own or a share of the dataset."""
    held_out = spec.dataset.held_out
    if held_out is None:
        return
    if (held_out.uri is None) == (held_out.fraction is None):
        has = "neither uri nor fraction; give one" if held_out.uri is None else "both uri and fraction; keep one"
        yield Problem("dataset.heldOut", f"has {has}")


def held_out_share_has_no_place(spec: Spec) -> Found:
    """What belongs to a source of its own is of no use to a share."""
    held_out = spec.dataset.held_out
    if held_out is not None and held_out.uri is None:
        for name in ("revision", "endpoint", "credentials_secret_name", "token_secret_name"):
            if (value := known(held_out, name)) is not None:
                alias = HeldOut.model_fields[name].alias
                yield Problem(f"dataset.heldOut.{alias}", f"{value} belongs to a uri, which is not set; remove it")


def data_that_must_differ(spec: Spec) -> Found:
    """What is measured on must not be what was trained on, nor what chose the best be what reports it."""
    seen: list[tuple[str, str]] = []
    for name, source in sets_of(spec):
        if (uri := known(source, "uri")) is None:
            continue
        for other, other_uri in seen:
            if same_data(other_uri, uri):
                remedy = " or fraction: 0.1" if name == "dataset.heldOut" else ""
                yield Problem(f"{name}.uri", f"{uri} is the same data as {other}.uri; give other data{remedy}")
        seen.append((name, uri))


def gym_goes_with_gym(spec: Spec) -> Found:
    """gym:// entries are checked by their own scorer, and that scorer knows nothing else."""
    gym = place_of(spec.dataset.uri).scheme == "gym"
    if gym and spec.dataset.task != "Gym":
        yield Problem(
            "dataset.task", f"{spec.dataset.task} can't check {spec.dataset.uri}, which has a scorer; give Gym"
        )
    if spec.dataset.task == "Gym" and not gym:
        yield Problem(
            "dataset.task", f"Gym checks gym:// only, and dataset.uri is {spec.dataset.uri}; give another task"
        )


def sets_of_one_kind(spec: Spec) -> Found:
    """Gym sets stand together with such only."""
    gym = place_of(spec.dataset.uri).scheme == "gym"
    for name, source in list(sets_of(spec))[1:]:
        uri = known(source, "uri")
        if uri and (place_of(uri).scheme == "gym") != gym:
            kind = "gym://" if gym else "no gym://"
            yield Problem(f"{name}.uri", f"{uri} can't go with dataset.uri, which is {kind}; give the same kind")


def columns_have_names(spec: Spec) -> Found:
    """An empty text names no column: the first pod would look for it in vain, or take it for a field left out."""
    for name, value in spec.dataset.fields.to_json().items():
        if value == "":
            remedy = "give its name" if name == "prompt" else "give its name, or remove it"
            yield Problem(f"dataset.fields.{name}", f"is empty, which names no column; {remedy}")


def columns(spec: Spec) -> Found:
    """Columns are mapped where the task reads them."""
    fields, task = spec.dataset.fields, spec.dataset.task
    if task == "Gym":
        for name in ("id", "answer", "choices"):
            if value := known(fields, name):
                yield Problem(f"dataset.fields.{name}", f"{value}: gym:// entries have their own {name}; remove it")
    elif fields.choices and task != "Choice":
        yield Problem("dataset.fields.choices", f"{fields.choices} is read by task Choice only, not {task}; remove it")


RULES: tuple[Rule, ...] = (
    model_uri,
    dataset_uris,
    dataset_files_are_read,
    held_out_is_one_thing,
    held_out_share_has_no_place,
    data_that_must_differ,
    gym_goes_with_gym,
    sets_of_one_kind,
    columns_have_names,
    columns,
    storage_uri,
    storage_region,
    storage_endpoint,
    resume_from,
    something_left_to_do,
)


def source_problems(field: str, source: Source | HeldOut | TestSet, schemes: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with one source: its URI, and the settings that this kind of place has no use for."""
    yield from endpoint_problems(f"{field}.endpoint", known(source, "endpoint"))
    if source.uri is None:
        return
    yield from uri_problems(f"{field}.uri", source.uri, schemes)
    place = place_of(source.uri)
    for attribute, (name, scheme) in _SECRETS.items():
        value = known(source, attribute)
        if value is not None and place.scheme != scheme:
            yield Problem(f"{field}.{name}", f"{value} belongs to {scheme}://, and the uri is {source.uri}; remove it")
    yield from _revision_problems(field, source.uri, known(source, "revision"), place)


def endpoint_problems(field: str, endpoint: str | None) -> Iterator[Problem]:
    """An endpoint has http or https, a host, and a port from 1 to 65535 where it names one."""
    if endpoint is None:
        return
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", endpoint) or not _has_host(endpoint):
        yield Problem(field, f"{endpoint} is no address of a server; give http://HOST:PORT or https://HOST")
    elif not _has_sound_port(endpoint):
        yield Problem(field, f"{endpoint} names no port that there is; give one from 1 to 65535, or none")


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:  # brackets around what is no IPv6 address
        return False


def _has_sound_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _revision_problems(field: str, uri: str, revision: str | None, place: Place) -> Iterator[Problem]:
    if revision is None:
        return
    if place.scheme != "hf":
        yield Problem(f"{field}.revision", f"{revision}: only hf:// has revisions, not {uri}; remove it")
    elif "@" in place.rest:
        yield Problem(f"{field}.revision", f"{revision} stands beside the revision in {uri}; keep one")


def region_problems(field: str, region: str | None) -> Iterator[Problem]:
    """A region is letters, digits and -, as in us-east-1."""
    if region is not None and not re.fullmatch(r"(?!-)(?![0-9]+$)[a-zA-Z0-9-]{1,63}(?<!-)", region):
        yield Problem(field, f"{region} is no region; give one like us-east-1")


def uri_problems(field: str, uri: str, schemes: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with a URI as such: no scheme of these, or nothing after it that could be a place."""
    place = place_of(uri)
    if re.match(r"[a-z][a-z0-9]*:/[^/]", uri):
        yield Problem(field, f"{uri} lacks a slash after the colon; give {uri.replace(':/', '://', 1)}")
    elif hub := re.match(r"https?://huggingface\.co/([^?#]+)", uri):
        path = re.sub(r"/(tree|blob|resolve)/([^/]+)", r"@\2", hub[1].rstrip("/"))
        yield Problem(field, f"{uri} is a web page; give hf://{path}")
    elif place.scheme not in schemes:
        yield Problem(field, f"{uri} has a scheme that is not read here; give {spoken(schemes)}")
    elif not place.plain and not re.fullmatch(_FORMS[place.scheme][0], place.rest, re.DOTALL):
        yield Problem(field, f"{uri} names no place; give {place.scheme}://{_FORMS[place.scheme][1]}")
    elif place.scheme == "s3" and not re.fullmatch(_BUCKET, bucket := place.rest.partition("/")[0]):
        yield Problem(field, f"{uri}: {bucket} is no name of a bucket; give letters, digits, . and - up to the first /")
