"""What to do about pods that a cluster takes not at all, on no node, or can't start: its own words, then the remedy.

Pure: Kubernetes says why in English only, so its texts are looked up in tables. The last row of each takes what no
other knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfimprove.api.secret_names import CREDENTIALS, TOKEN, prefix_of
from selfimprove.api.source import HeldOut, Source, TestSet
from selfimprove.api.sources import sources_of
from selfimprove.api.spec import Spec
from selfimprove_operator.observed import ObservedPod
from selfimprove_operator.origins import Origins

Table = tuple[tuple[str, str], ...]
"""A pattern in what is said, and the remedy; {1} is the pattern's first group, a word in braces a field or a place."""

REFUSALS: Table = (
    (
        r"exceeded quota: ([^,]+), requested: [^ ]*(?:cpu|memory|storage|\.[a-z]+/)",
        "raise ResourceQuota {1} of namespace {namespace}, let others of its pods end, or ask for less in {resources}",
    ),
    (
        r"exceeded quota: ([^,]+), requested: [^ ]*count/(?:jobs|pods)",
        "raise ResourceQuota {1} of namespace {namespace}, or delete Jobs there that are over; with a lower "
        "spec.execution.ttlSecondsAfterFinished the next ones go sooner by themselves",
    ),
    (r"exceeded quota: ([^,]+)", "raise ResourceQuota {1} of namespace {namespace}, or let others of its pods end"),
    (
        r"failed quota: ([^:]+): must specify",
        "give that in {resources}, or change ResourceQuota {1} of namespace {namespace}",
    ),
    (
        r"(?:minimum|maximum) .+ usage per|limit to request ratio per",
        "change {resources} to lie within that, or the LimitRange of namespace {namespace}",
    ),
    (
        r"must be less than or equal to (\S+) limit",
        "ask for less, or give a higher limit of {1}, in {resources}; a LimitRange of namespace {namespace} gives one "
        "where that has none",
    ),
    (
        r"violates PodSecurity",
        "workers keep the restricted standard, so take away what was added to them, or set the label "
        "pod-security.kubernetes.io/enforce of namespace {namespace} lower",
    ),
    (r"no PriorityClass with name (\S+)", "create PriorityClass {1}, or mend {priorityClassName}"),
    (r'RuntimeClass "([^"]+)" not found', "create RuntimeClass {1}, or mend {runtimeClassName}"),
    (
        r'serviceaccount "([^"]+)" not found',
        "create ServiceAccount {1} in namespace {namespace}, or mend spec.execution.serviceAccountName",
    ),
    (r"", "mend what it names, or ask who keeps namespace {namespace}"),
)
UNSCHEDULED: Table = (
    (r"Insufficient ([^\s,]*[^\s,.])", "free {1} on a node, add a node, or ask for less in {resources}"),
    (r"Pod's node affinity/selector", "label a node to match, or mend {placement}"),
    (r"untolerated taint", "name the taint in {tolerations}, or take it off a node"),
    (r"were unschedulable", "uncordon a node, or add one"),
    (
        r'persistentvolumeclaim "([^"]+)" not found',
        "create PersistentVolumeClaim {1} in namespace {namespace}, or mend {claim}",
    ),
    (
        r"unbound immediate PersistentVolumeClaims",
        "give the PersistentVolumeClaim a volume, or a StorageClass that makes one",
    ),
    (r"volume node affinity conflict", "add a node where the volume is, or give another volume in {claim}"),
    (r"no nodes available", "add a node"),
    (r"", "add a node that takes it, or change spec.execution"),
)
WAITING: Table = (
    (
        r"^(?:ErrImagePull|ImagePullBackOff)",
        "mend the image's name in {image}, or give spec.execution.imagePullSecrets",
    ),
    (r"^InvalidImageName", "mend the image's name in {image}"),
    (r"couldn't find key (\S+) in", "add the key {1} there"),
    (r'secret "([^"]+)" not found', "create the Secret {1} in namespace {namespace}, or mend {secret}"),
    (r'configmap "([^"]+)" not found', "create the ConfigMap {1} in namespace {namespace}, or mend {env}"),
    (r"", "see kubectl describe pod -n {namespace} {pod}"),
)
_S3_KEYS = re.compile(
    r"s3://.*?: (?:access denied|the access key is unknown|the secret key is (?:refused|wrong)|the session token |"
    r"no credentials|(?:no|the) AWS credentials |the login has expired)|the value of AWS_\w+ (?:is|holds) "
)
_HUB_TOKEN = re.compile(r"set HF_TOKEN|the value of HF_TOKEN (?:is|holds) ")
_TEACHERS_KEY = re.compile(r"OPENAI_API_KEY")
"""What a worker says of keys that are missing or refused; an endpoint or a region that is wrong is another trouble."""
_FORBIDDEN = re.compile(r'^(?:(pods|jobs\.batch) "[^"]*" is forbidden|Pod "[^"]*" is invalid): ')
_MORE = re.compile(r"\.? (?:no new claims to deallocate, )?preemption: .*|\. not found$", re.DOTALL)
"""The scheduler's thoughts about pods of lower priority, and its own slip: they say the same once more."""


def refused(message: str, origins: Origins) -> str:
    """Why the API server takes no pod of a Job, or not the Job itself, and what to do."""
    found = _FORBIDDEN.match(message)
    what = "Job" if found and found[1] == "jobs.batch" else "pods"
    said = message[found.end() :] if found else message
    return f"the API server refuses its {what}: {said}; {_first(REFUSALS, said, origins)}"


def refused_keys(said: str, origins: Origins) -> str:
    """Where the keys come from which a worker says are refused, for the end of a line; empty where nothing gives them.

    A worker knows the names of its variables, and not who gives them: a Secret that a source names, or over that an
    `env`.
    """
    keys = list(_keys_of(said, origins.spec))
    given = {name: field for each in keys for name in each.variables if (field := origins.variable(name))}
    secrets = dict.fromkeys(each.secret for each in keys if each.secret and not given.keys() >= each.needed)
    places = [f"{field} ({name})" for name, field in given.items()]
    if secrets:
        places.append(_secrets(list(secrets), origins))
    return f"; the keys come from {' and '.join(places)}" if places else ""


def unscheduled(pod: ObservedPod, origins: Origins) -> str:
    """Why no node takes a pod, and all that may be done."""
    said = _MORE.sub("", pod.unscheduled)
    remedies = list(_all(UNSCHEDULED[:-1], said, origins)) or [_first(UNSCHEDULED, said, origins)]
    return f"no node takes {pod.name}: {said.rstrip('.')}; {', or '.join(remedies)}"


def waiting(pod: ObservedPod, origins: Origins) -> str:
    """Why a container does not start, and what to do."""
    said = pod.waiting or "its image or its volumes do not come"
    return f"{pod.name} can't start: {said}; {_first(WAITING, said, origins, pod.name)}"


def _secrets(names: Sequence[str], origins: Origins) -> str:
    """Secrets, and the fields that name them."""
    fields = " and ".join(map(origins.secret, names))
    what = f"Secret{'s' if len(names) > 1 else ''} {' and '.join(names)}"
    verb = "name" if " and " in fields else "names"
    return f"{what} in namespace {origins.namespace}, which {fields} {verb}"


@dataclass(frozen=True)
class _Keys:
    """Variables that a worker reads together, and the Secret that gives those that no `env` does."""

    variables: tuple[str, ...]
    secret: str | None

    @property
    def needed(self) -> set[str]:
        """Those that a worker can't do without."""
        return {name for name in self.variables if not name.endswith("AWS_SESSION_TOKEN")}


def _keys_of(said: str, spec: Spec) -> Iterator[_Keys]:
    """The keys of every source that is named, else those of the storage or the model, which others take too."""
    named = [source for _, source in sources_of(spec) if _is_named(source, said)]
    if _S3_KEYS.search(said):
        usual = spec.storage.credentials_secret_name
        own = [source.credentials_secret_name for source in named] or [usual]
        yield from (_keys(CREDENTIALS, secret, usual) for secret in own)
    if _HUB_TOKEN.search(said):
        usual = spec.model.token_secret_name
        own = [source.token_secret_name for source in named] or [usual]
        yield from (_keys(TOKEN, secret, usual) for secret in own)
    if _TEACHERS_KEY.search(said) and spec.resampling.teacher:
        yield _keys(("OPENAI_API_KEY",), spec.resampling.teacher.credentials_secret_name, None)


def _keys(names: tuple[str, ...], secret: str | None, usual: str | None) -> _Keys:
    """Of a source's Secret the variables have a prefix, unless it is the one that all others take."""
    prefix = "" if secret in (None, usual) else prefix_of(str(secret))
    return _Keys(tuple(prefix + name for name in names), secret or usual)


def _is_named(source: Source | HeldOut | TestSet, said: str) -> bool:
    """Whether a worker names the place, or a variable that is of this source's own Secret."""
    secrets = (source.credentials_secret_name, source.token_secret_name)
    if any(name and re.search(rf"\b{prefix_of(name)}(?:AWS|HF)_", said) for name in secrets):
        return True
    return source.uri is not None and re.search(rf"{re.escape(source.uri)}(?![\w.-])", said) is not None


def _first(table: Table, said: str, origins: Origins, pod: str = "") -> str:
    return next(_all(table, said, origins, pod))


def _all(table: Table, said: str, origins: Origins, pod: str = "") -> Iterator[str]:
    """The remedy of every row whose pattern is found."""
    for pattern, remedy in table:
        if found := re.search(pattern, said):
            name = found[1] if found.re.groups else ""
            yield remedy.replace("{1}", name).format_map(_words(origins, name, pod))


def _words(origins: Origins, name: str, pod: str) -> dict[str, str]:
    """The fields and places that remedies name. `name`: of what is missing."""
    settings = ("resources", "tolerations", "priorityClassName", "runtimeClassName", "env")
    return {
        **{setting: origins.to_give(setting) for setting in settings},
        "placement": origins.placement(),
        "image": origins.image(),
        "secret": origins.secret(name),
        "claim": origins.claim(name),
        "namespace": origins.namespace,
        "pod": pod,
    }
