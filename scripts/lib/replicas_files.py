#!/usr/bin/env python3
"""Checks the files of deploy/ for test-replicas.sh.

usage: replicas_files.py kubernetes FOLDER | nomad FILE

`kubernetes` holds each manifest against the schema of its kind, strictly, and also the Deployments that come of the patches of
../image-volume and ../bucket. It ends with 3 if a package is missing.
"""
import pathlib
import sys

# What a list is merged by, as kubectl and kustomize do (patchMergeKey of the API).
MERGE_KEYS = {"volumes": "name", "containers": "name", "initContainers": "name"}


def merged(base, patch):
    """A strategic merge, as far as the patches here need it: null removes."""
    result = dict(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result.get(key, {}), value)
        elif isinstance(value, list) and key in MERGE_KEYS and key in result:
            by = MERGE_KEYS[key]
            items = {item[by]: item for item in result[key]}
            for item in value:
                items[item[by]] = merged(items.get(item[by], {}), item)
            result[key] = list(items.values())
        else:
            result[key] = value
    return result


def kubernetes(folder):
    import kubernetes_validate
    import yaml

    version = kubernetes_validate.latest_version()

    def documents(path):
        return [document for document in yaml.safe_load_all(path.read_text()) if document]

    def validate(document, where):
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            sys.exit(f"{where}: {document['kind']}: {error}")
        print(f"{where}: {document['kind']} is valid for Kubernetes {version}")

    def listed(kustomization, key):
        return [entry if key == "resources" else entry["path"] for entry in kustomization.get(key, [])]

    base = {}
    kustomization = documents(folder / "base/kustomization.yaml")[0]
    names = listed(kustomization, "resources")
    there = {path.name for path in (folder / "base").iterdir()} - {"kustomization.yaml"}
    if there != set(names):
        sys.exit(f"{folder}/base: kustomization.yaml names {sorted(names)}, and there are {sorted(there)}")
    for name in names:
        for document in documents(folder / "base" / name):
            validate(document, f"base/{name}")
            base[document["kind"], document["metadata"]["name"]] = document
    images = {image["name"] for image in kustomization["images"]}
    used = {c["image"] for c in base["Deployment", "fuelbox"]["spec"]["template"]["spec"]["containers"]}
    if images != used:
        sys.exit(f"kustomization.yaml sets images {images}, and the Deployment uses {used}")
    for overlay in sorted(folder.glob("*/kustomization.yaml")):
        for name in listed(documents(overlay)[0], "patches"):
            for patch in documents(overlay.parent / name):
                target = base.get((patch["kind"], patch["metadata"]["name"]))
                if target is None:
                    sys.exit(f"{overlay.parent.name}/{name}: base has nothing that it changes")
                validate(merged(target, patch), f"{overlay.parent.name}/{name}")


def nomad(path):
    import hcl2

    with path.open(encoding="utf-8") as file:
        text = hcl2.load(file)
    # Some versions of the package keep the quotes of names.
    jobs = [name.strip('"') for job in text["job"] for name in job]
    variables = {name.strip('"') for variable in text["variable"] for name in variable}
    if "fuelbox" not in jobs or variables != {"image", "plugins"}:
        sys.exit(f"{path}: jobs {jobs}, variables {variables}")
    print(f"{path.name}: HCL, with the job {jobs[0]} and the variables {', '.join(sorted(variables))}")


def main():
    what, path = sys.argv[1:]
    try:
        {"kubernetes": kubernetes, "nomad": nomad}[what](pathlib.Path(path))
    except ModuleNotFoundError as error:
        print(f"no {error.name}", file=sys.stderr)
        sys.exit(3)


main()
