"""The card of a data set: Croissant metadata (https://docs.mlcommons.org/croissant/), and a README.

It validates with `mlcroissant validate --jsonld croissant.json`.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sensor.recording.log import SUFFIX

LICENSE = "https://creativecommons.org/publicdomain/zero/1.0/"
HOME = "https://github.com/forceband/forceband"
PUBLISHED = "2026-01-01"
"""A constant: when it was written is no part of a data set that anybody can make again."""
FORMATS = {
    ".csv": "text/csv",
    ".json": "application/json",
    SUFFIX: "application/vnd.sqlite3",
}
DESCRIPTION = (
    "Force of resistance-band training sampled by imperfect gauges, with the truth: which pulls "
    "are repetitions, when their phases begin and end, what is only half a pull. Every session is "
    "drawn from a seed: a person who moves, waits and handles the band, an elastic band, and a "
    "gauge with noise, drift, hum, spikes, gaps and bad time stamps. The truth is read off the "
    "noise-free curve."
)
LIMITS = (
    "Drawn, not measured: it holds what its authors know that people and gauges do. It suits "
    "comparing and testing counters of repetitions; it tells nothing about how often people do "
    "what is drawn here, and holds nobody's data."
)
README = f"""# Force of band training with known repetitions

{DESCRIPTION}

{LIMITS}

| File | Holds |
|---|---|
| `NAME.csv` | `time_s,force_n` as an app exports it, with whatever is wrong with its stamps |
| `NAME{SUFFIX}` | the same samples as a band with a clock of its own sends them, for `forceband` |
| `NAME.json` | the truth: `reps` as of `forceband analyse --json`, `partials`, `sets`, `gaps` |
| `croissant.json` | the data card: fields, sums of the files, all sessions in a table |

Times are seconds from the first sample that the gauge took, forces newtons. Of a rep, `cut` says
that the recording begins or ends in it, and what lies outside is null; `span_s` is its extent
within the recording; `decided` whether the curve decides `start_s`, `top_start_s`, `top_end_s` and
`end_s`; `applied_n` the peak without the gauge's zero error. `open` lists stretches in which a
person could not say: from `least` to `most` reps there are right. `inverted` means that the gauge
is wired the wrong way round: the forces of the truth are those that were pulled. Of `partials`
those are listed that were meant; what hands do while they walk or untangle is neither.

`forceband score THIS_FOLDER ANSWERS` ranks counters.

No rights reserved: CC0 1.0, {LICENSE}
"""
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The standard one of Croissant 1.0, from which its validator allows no departure."""
SESSION_FIELDS = {
    "name": ("sc:Text", "name of the session's files"),
    "kind": ("sc:Text", "what the person does or what is wrong with the gauge"),
    "seed": ("sc:Integer", "what the session is drawn from, with its kind"),
    "rate_hz": ("sc:Float", "samples in a second"),
    "duration_s": ("sc:Float", "s"),
    "reps": ("sc:Integer", "repetitions that the person would count"),
    "partials": ("sc:Integer", "pulls that are not counted"),
    "sets": ("sc:Integer", "sets of repetitions"),
    "gaps": ("sc:Integer", "stretches without samples"),
}
REP_FIELDS = {
    "set": ("sc:Integer", "number of its set"),
    "rep": ("sc:Integer", "number within its set"),
    "start_s": ("sc:Float", "10 % of the rise, s; null outside the recording"),
    "top_start_s": ("sc:Float", "90 % of the rise, s"),
    "top_end_s": ("sc:Float", "90 % of the fall, s"),
    "end_s": ("sc:Float", "10 % of the fall, s"),
    "peak_s": ("sc:Float", "when the force is highest, s"),
    "peak_n": ("sc:Float", "highest force, N"),
    "tut_s": ("sc:Float", "time under tension, s"),
}


def card(folder: Path, sessions: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """The metadata of a folder of sessions, of each of which the table has a line."""
    files = sorted(each for each in folder.iterdir() if each.suffix in FORMATS)
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": "forceband-sessions",
        "description": f"{DESCRIPTION} {LIMITS}",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": LICENSE,
        "url": HOME,
        "version": version("forceband"),
        "datePublished": PUBLISHED,
        "creator": {"@type": "sc:Organization", "name": "The forceband maintainers", "url": HOME},
        "citeAs": f"forceband {version('forceband')}, data set of {len(sessions)} sessions, "
        f"seed {seed}, {HOME}",
        "rai:dataCollection": "Drawn by a program from seeds; nobody was measured.",
        "rai:dataLimitations": LIMITS,
        "distribution": [
            *(_file(each) for each in files),
            _set("samples", ".csv", "the force of each session"),
            _set("truth", ".json", "what is true of each session"),
            _set("recordings", SUFFIX, "what a band would have sent: an SQLite file a session"),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "sessions",
                "name": "sessions",
                "description": "One line a session.",
                "key": {"@id": "sessions/name"},
                "field": [_field("sessions", key, *SESSION_FIELDS[key]) for key in SESSION_FIELDS],
                "data": [
                    {f"sessions/{key}": each[key] for key in SESSION_FIELDS} for each in sessions
                ],
            },
            {
                "@type": "cr:RecordSet",
                "@id": "force",
                "name": "force",
                "description": "One line a sample, with the file that it is of.",
                "field": [
                    _field(
                        "force", "file", "sc:Text", "name of the file",
                        _from("samples", {"fileProperty": "filename"}),
                    ),
                    _field(
                        "force", "time_s", "sc:Float", "s from the first sample",
                        _from("samples", {"column": "time_s"}),
                    ),
                    _field(
                        "force", "force_n", "sc:Float", "N",
                        _from("samples", {"column": "force_n"}),
                    ),
                ],
            },
            {
                "@type": "cr:RecordSet",
                "@id": "reps",
                "name": "reps",
                "description": "One line a true repetition.",
                "field": [
                    _field(
                        "reps", key, *REP_FIELDS[key],
                        _from("truth", {"jsonPath": f"$.reps[*].{key}"}),
                    )
                    for key in REP_FIELDS
                ],
            },
        ],
    }  # fmt: skip


def _file(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": path.name,
        "contentSize": f"{len(content)} B",
        "encodingFormat": FORMATS[path.suffix],
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _set(name: str, suffix: str, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": description,
        "encodingFormat": FORMATS[suffix],
        "includes": f"*-*{suffix}",
    }


def _field(
    of: str, name: str, kind: str, description: str, source: dict[str, Any] | None = None
) -> dict[str, Any]:
    told = {
        "@type": "cr:Field",
        "@id": f"{of}/{name}",
        "name": name,
        "description": description,
        "dataType": kind,
    }
    return told if source is None else {**told, "source": source}


def _from(files: str, what: dict[str, str]) -> dict[str, Any]:
    return {"fileSet": {"@id": files}, "extract": what}
